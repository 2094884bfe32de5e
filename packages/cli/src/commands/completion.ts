import type { Command } from "commander"
import { complete, completionScript } from "../core/completion.ts"
import type { CompletionCommand, Shell } from "../core/completion.ts"
import { connect } from "../connect.ts"
import type { Io } from "../io.ts"

const ADDRESSES_MAX = 200
/** A shell waits for this: better nothing than late. */
const ANSWER_MS_MAX = 800

/** `rouse completion <shell>` */
export function completion(shell: string, options: { readonly json?: boolean }, io: Io): void {
  const script = completionScript(shell as Shell)
  io.out(options.json === true ? `${JSON.stringify({ shell, script })}\n` : script)
}

/** What the scripts call: prints what may follow, one a line. Says nothing when there is nothing, or no server. */
export async function completeWords(words: readonly string[], program: Command, io: Io): Promise<void> {
  const found = complete(commandsOf(program), words)
  const lines = found === "address" ? await addresses(words.at(-1) ?? "", io) : found
  if (lines.length > 0) io.out(`${lines.join("\n")}\n`)
}

function commandsOf(program: Command): readonly CompletionCommand[] {
  return program.commands
    .filter((command) => !command.name().startsWith("_"))
    .map((command) => ({
      name: command.name(),
      options: [...command.options.map((option) => option.long ?? option.short ?? ""), "--help"],
      arguments: command.registeredArguments.map(
        (argument) =>
          argument.argChoices ??
          (argument.name().startsWith("/type/id") ? "address" : argument.name() === "signal" ? SIGNALS : "other"),
      ),
    }))
}

const SIGNALS: readonly string[] = ["interrupt", "pause", "resume", "kill"]

async function addresses(start: string, io: Io): Promise<readonly string[]> {
  const signal = AbortSignal.any([io.stop, AbortSignal.timeout(ANSWER_MS_MAX)])
  try {
    const page = await connect({}, io).list({ limit: ADDRESSES_MAX }, { signal })
    return page.entities.map(({ url }) => url).filter((url) => url.startsWith(start))
  } catch {
    return []
  }
}
