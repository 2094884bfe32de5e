/// <reference types="node" />
import { RouseError } from "@rouse/protocol"
import type { Sandbox } from "@daytona/sdk"
import { orAborted, reasonOf, sleep } from "../abort.ts"
import { quoted } from "../core/box-scripts.ts"
import type { Box, BoxRun } from "../sandbox/box-workspace.ts"
import { explained } from "../sandbox/service.ts"
import type { Service } from "../sandbox/service.ts"

/** How long after the end of its log a command's exit code may come, before the log is taken to have been cut off. */
const EXIT_WAIT_MS = 100
const EXIT_WAITS_MAX = 5
/** How often the log of one command is followed. */
const FOLLOWS_MAX = 10
const TRANSFER_SECONDS_MAX = 300

/** A Daytona sandbox. Paths are relative to its working directory. */
export class DaytonaBox implements Box {
  readonly #sandbox: Sandbox
  readonly #service: Service

  constructor(sandbox: Sandbox, service: Service) {
    this.#sandbox = sandbox
    this.#service = service
  }

  /** In a session of its own, whose log is followed: what `executeCommand` answers is both outputs as one. */
  async run(script: string, { timeoutMs, signal, started, take }: BoxRun): Promise<number> {
    const { process } = this.#sandbox
    const session = `rouse-${crypto.randomUUID()}`
    const either = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    return await this.#told(async () => {
      await orAborted(process.createSession(session), either)
      try {
        const asked = { command: script, runAsync: true }
        const { cmdId } = await orAborted(process.executeSessionCommand(session, asked), either)
        started()
        return await this.#followed(session, cmdId, either, take)
      } finally {
        // What runs in it ends with it. A session that stays holds a shell that waits.
        void process.deleteSession(session).catch(() => undefined)
      }
    }, signal)
  }

  /** A log that was cut off is followed again, from its beginning: what is known of it is passed over. */
  async #followed(session: string, command: string, signal: AbortSignal, take: BoxRun["take"]): Promise<number> {
    const { process } = this.#sandbox
    const known = { out: 0, err: 0 }
    for (let follows = 0; follows < FOLLOWS_MAX; follows += 1) {
      const out = fresh(known.out, (text) => {
        known.out += text.length
        take(text, false)
      })
      const err = fresh(known.err, (text) => {
        known.err += text.length
        take(text, true)
      })
      const log = process.getSessionCommandLogs(session, command, out, err)
      const problem = await orAborted(log, signal).then(
        () => undefined,
        (error: unknown) => error,
      )
      if (signal.aborted) throw problem
      const exitCode = await this.#exitCode(session, command, signal)
      if (exitCode !== undefined) return exitCode
    }
    throw new RouseError("BACKEND_FAILED", "Daytona's log of the command was cut off again and again")
  }

  async call(script: string, timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }> {
    return await this.#told(async () => {
      const command = `sh -c ${quoted(script)}`
      const { exitCode, result } = await this.#sandbox.process.executeCommand(
        command,
        undefined,
        undefined,
        Math.ceil(timeoutMs / 1_000),
      )
      return { exitCode, output: result }
    })
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array> {
    return await this.#told(async () => {
      const { isDir, size } = await this.#sandbox.fs.getFileDetails(path)
      if (isDir) throw new RouseError("FORBIDDEN", `${path} is a directory`)
      const tooLarge = new RouseError("TOO_LARGE", `${path} is larger than ${bytesMax} bytes`)
      if (size > bytesMax) throw tooLarge
      const bytes = await this.#sandbox.fs.downloadFile(path, TRANSFER_SECONDS_MAX)
      // It may have grown meanwhile.
      if (bytes.length > bytesMax) throw tooLarge
      return new Uint8Array(bytes)
    })
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#told(async () => {
      const { fs } = this.#sandbox
      const isDirectory = await fs.getFileDetails(path).then(
        ({ isDir }) => isDir,
        () => false,
      )
      if (isDirectory) throw new RouseError("FORBIDDEN", `${path} is a directory`)
      // Other bytes than these are read one by one.
      await fs.uploadFile(Buffer.from(bytes), path, TRANSFER_SECONDS_MAX)
    })
  }

  /** Undefined: it still runs. */
  async #exitCode(session: string, command: string, signal: AbortSignal): Promise<number | undefined> {
    for (let waits = 0; waits < EXIT_WAITS_MAX; waits += 1) {
      const { exitCode } = await orAborted(this.#sandbox.process.getSessionCommand(session, command), signal)
      if (exitCode !== undefined && exitCode !== null) return exitCode
      await sleep(EXIT_WAIT_MS, signal)
    }
    return undefined
  }

  async #told<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw signal?.aborted ? reasonOf(signal) : explained(this.#service, error)
    }
  }
}

/** Passes over what is known already. */
function fresh(known: number, take: (text: string) => void): (text: string) => void {
  let left = known
  return (text) => {
    const rest = text.slice(left)
    left = Math.max(0, left - text.length)
    if (rest !== "") take(rest)
  }
}
