import { RouseError } from "@rouse/protocol"
import { isTimedOut, killScript, NOTHING_THERE, runScript, searchScript } from "../core/box-scripts.ts"
import { grepMatches } from "../core/grep.ts"
import { addOutput, EMPTY_OUTPUT, outputText } from "../core/output-window.ts"
import { fileParts, workspaceParts } from "../core/sandbox-path.ts"
import type { RunOptions, RunResult, SearchOptions, SearchResult, Workspace } from "./provider.ts"

/** What a command may write at all before it is killed, in UTF-16 code units. */
const FLOOD_CHARS_MAX = 64 * 1024 * 1024
/** The service has so much longer than the command to say that its time is over. */
const GRACE_MS = 15_000
const SEARCH_TIMEOUT_MS = 30_000
const KILL_TIMEOUT_MS = 15_000

/** A sandbox of a service, as far as a workspace needs it. Its errors are `RouseError`s. */
export interface Box {
  /**
   * Runs a script with the sandbox's shell, and gives its outputs as they come. Resolves with its exit code. Rejects with the signal's reason
   * when that aborts; what runs is the caller's to end.
   */
  run(script: string, options: BoxRun): Promise<number>
  /** Runs a short script. Its two outputs are one text. */
  call(script: string, timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }>
  /** @throws {RouseError} `NOT_FOUND`; `FORBIDDEN` for what is no file; `TOO_LARGE`. */
  read(path: string, bytesMax: number): Promise<Uint8Array>
  /** @throws {RouseError} `FORBIDDEN` for what is no file. */
  write(path: string, bytes: Uint8Array): Promise<void>
}

export interface BoxRun {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Called once the service has said that the script runs. */
  readonly started: () => void
  readonly take: (text: string, isError: boolean) => void
}

/** A workspace that is a directory of a service's sandbox. */
export class BoxWorkspace implements Workspace {
  readonly #box: Box
  readonly #directory: string

  constructor(box: Box, directory: string) {
    this.#box = box
    this.#directory = directory
  }

  async run(command: string, { timeoutMs, outputCharsMax, signal }: RunOptions): Promise<RunResult> {
    signal.throwIfAborted()
    const id = crypto.randomUUID()
    const windows = { stdout: EMPTY_OUTPUT, stderr: EMPTY_OUTPUT }
    let chars = 0
    const flooded = new AbortController()
    const take = (text: string, isError: boolean): void => {
      const name = isError ? "stderr" : "stdout"
      windows[name] = addOutput(windows[name], text, outputCharsMax)
      chars += text.length
      if (chars > FLOOD_CHARS_MAX) flooded.abort()
    }
    const result = (exitCode: number | null, timedOut: boolean): RunResult => ({
      exitCode: timedOut ? null : exitCode,
      stdout: outputText(windows.stdout),
      stderr: outputText(windows.stderr),
      timedOut,
    })
    const startedAtMs = performance.now()
    const tookMs = (): number => performance.now() - startedAtMs
    let hasStarted = false
    const started = (): void => {
      hasStarted = true
    }
    const script = runScript(this.#directory, command, Math.ceil(timeoutMs / 1_000), id)
    const either = AbortSignal.any([signal, flooded.signal])
    try {
      const exitCode = await this.#box.run(script, { timeoutMs: timeoutMs + GRACE_MS, signal: either, started, take })
      return result(exitCode, isTimedOut(exitCode, tookMs(), timeoutMs))
    } catch (error) {
      const mayRun = hasStarted || either.aborted || RouseError.is(error, "BACKEND_FAILED", "TIMED_OUT")
      if (!mayRun) throw error
      await this.#kill(id)
      if (signal.aborted) throw signal.reason
      if (flooded.signal.aborted) return result(null, false)
      if (RouseError.is(error, "TIMED_OUT") && tookMs() >= timeoutMs) return result(null, true)
      throw new RouseError("OUTCOME_UNKNOWN", `the sandbox was lost while a command ran: ${(error as Error).message}`)
    }
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array> {
    return await this.#box.read(this.#at(fileParts(path)), bytesMax)
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#box.write(this.#at(fileParts(path)), bytes)
  }

  async search(pattern: string, { path = "", matchesMax, signal }: SearchOptions): Promise<SearchResult> {
    signal.throwIfAborted()
    const place = workspaceParts(path).join("/")
    // Relative, so that no name is taken for an option.
    const script = searchScript(this.#directory, `./${place}`, pattern, matchesMax)
    const { exitCode, output } = await this.#box.call(script, SEARCH_TIMEOUT_MS)
    if (exitCode === NOTHING_THERE) throw new RouseError("NOT_FOUND", `there is no ${path}`)
    const isDirectory = output.startsWith("d\n")
    const matches = grepMatches(output.slice(2), isDirectory ? place : undefined, path)
    const [complaint] = /^grep: (?!.*No such file).*$/m.exec(output) ?? []
    if (matches.length === 0 && complaint !== undefined)
      throw new RouseError("INVALID_ARGS", `pattern: ${complaint.slice(0, 200)}`)
    return { matches: matches.slice(0, matchesMax), isPartial: matches.length > matchesMax }
  }

  #at(parts: readonly string[]): string {
    return [this.#directory, ...parts].join("/")
  }

  /** As far as it can be done: the sandbox itself ends the command when its time is over. */
  async #kill(id: string): Promise<boolean> {
    return await this.#box.call(killScript(id), KILL_TIMEOUT_MS).then(
      () => true,
      () => false,
    )
  }
}
