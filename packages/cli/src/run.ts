import { CommanderError } from "commander"
import { DEFAULT_URL } from "./core/defaults.ts"
import { explain, usage } from "./core/failure.ts"
import type { ExitCode } from "./core/failure.ts"
import type { Io } from "./io.ts"
import { createProgram } from "./program.ts"

/**
 * Runs one command line.
 *
 * A failure is one line on standard error, `rouse: …`, that says what to do. Never throws.
 */
export async function run(words: readonly string[], io: Io): Promise<ExitCode> {
  const ending: { code: ExitCode } = { code: 0 }
  const program = createProgram(io, (code) => {
    ending.code = code
  })
  const names = program.commands.map((command) => command.name())
  const [first, second] = words
  try {
    if (first === "help" && second !== undefined && !names.includes(second)) throw usage(unknown(second))
    if (first === undefined) program.outputHelp()
    else await program.parseAsync(words, { from: "user" })
    return ending.code
  } catch (error) {
    if (error instanceof CommanderError)
      return misread(
        error,
        names.find((name) => name === first),
        io,
      )
    return report(error, io)
  }
}

/** How the command line was typed wrongly; or not at all, when it asked for help or the version. */
function misread(error: CommanderError, command: string | undefined, io: Io): ExitCode {
  if (error.exitCode === 0) return 0
  const said = error.message.replace(/^error: /, "").replace(/\s*\n\s*/g, " ")
  say(io, `${said.replace(/\.$/, "")}: see \`rouse help${command === undefined ? "" : ` ${command}`}\``)
  return 2
}

function unknown(command: string): string {
  return `unknown command '${command}': see \`rouse help\``
}

function report(error: unknown, io: Io): ExitCode {
  if (io.stop.aborted) return 130
  const failure = explain(error, io.env["ROUSE_URL"] ?? DEFAULT_URL)
  say(io, failure.line)
  if ((io.env["ROUSE_DEBUG"] ?? "") !== "" && error instanceof Error) io.err(`${error.stack}\n`)
  return failure.exit
}

function say(io: Io, line: string): void {
  io.err(`${io.errColor.red("rouse:")} ${line}\n`)
}
