import { CommanderError } from "commander"
import { DEFAULT_URL } from "./core/defaults.ts"
import { explain } from "./core/failure.ts"
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
  if (words.length === 0) {
    program.outputHelp()
    return 0
  }
  try {
    await program.parseAsync(words, { from: "user" })
    return ending.code
  } catch (error) {
    return report(
      error,
      words[0],
      io,
      program.commands.map((command) => command.name()),
    )
  }
}

function report(error: unknown, first: string | undefined, io: Io, commands: readonly string[]): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    say(
      io,
      error.message
        .replace(/^error: /, "")
        .replace(/\s*\n\s*/g, " ")
        .replace(/\.$/, ""),
      `see \`rouse help${first !== undefined && commands.includes(first) ? ` ${first}` : ""}\``,
    )
    return 2
  }
  if (io.stop.aborted) return 130
  const failure = explain(error, io.env["ROUSE_URL"] ?? DEFAULT_URL)
  say(io, failure.line)
  if ((io.env["ROUSE_DEBUG"] ?? "") !== "" && error instanceof Error) io.err(`${error.stack}\n`)
  return failure.exit
}

function say(io: Io, line: string, hint?: string): void {
  io.err(`${io.errColor.red("rouse:")} ${line}${hint === undefined ? "" : `: ${hint}`}\n`)
}
