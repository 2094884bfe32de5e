import { RouseError } from "@rouse/protocol"
import type { CommandHandle, EntryInfo, Sandbox } from "e2b"
import { reasonOf } from "../abort.ts"
import type { Box, BoxRun } from "./box-workspace.ts"
import { explained } from "./service.ts"
import type { Service } from "./service.ts"

/** A command's sandbox is kept awake so much longer than the command may take. */
const MARGIN_MS = 60_000

/** An E2B sandbox. Paths are relative to its user's home. */
export class E2bBox implements Box {
  readonly #sandbox: Sandbox
  readonly #service: Service
  readonly #awakeMs: number

  /** @param awakeMs For how long the sandbox is awake from now on. */
  constructor(sandbox: Sandbox, service: Service, awakeMs: number) {
    this.#sandbox = sandbox
    this.#service = service
    this.#awakeMs = awakeMs
  }

  async run(script: string, { timeoutMs, signal, started, take }: BoxRun): Promise<number> {
    return await this.#told(async () => {
      const neededMs = timeoutMs + MARGIN_MS
      if (neededMs > this.#awakeMs) await this.#sandbox.connect({ timeoutMs: neededMs })
      const running = await this.#sandbox.commands.run(script, {
        background: true,
        timeoutMs,
        signal,
        onStdout: (text) => take(text, false),
        onStderr: (text) => take(text, true),
      })
      started()
      return await exitCodeOf(running)
    }, signal)
  }

  async call(script: string, timeoutMs: number): Promise<{ readonly exitCode: number; readonly output: string }> {
    return await this.#told(async () => {
      const running = await this.#sandbox.commands.run(script, { background: true, timeoutMs })
      const exitCode = await exitCodeOf(running)
      return { exitCode, output: running.stdout + running.stderr }
    })
  }

  async read(path: string, bytesMax: number): Promise<Uint8Array> {
    return await this.#told(async () => {
      const { size, ...found } = await this.#sandbox.files.getInfo(path)
      if (kindOf(found) !== "file")
        throw new RouseError("FORBIDDEN", `${path} is ${kindOf(found) === "dir" ? "a directory" : "no file"}`)
      if (size > bytesMax) throw tooLarge(path, bytesMax)
      // It may have grown meanwhile.
      return await bytesOf(await this.#sandbox.files.read(path, { format: "stream" }), bytesMax, path)
    })
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.#told(async () => {
      const { files } = this.#sandbox
      const isDirectory = await files.getInfo(path).then(
        (found) => kindOf(found) === "dir",
        () => false,
      )
      if (isDirectory) throw new RouseError("FORBIDDEN", `${path} is a directory`)
      await files.write(path, new Blob([bytes as Uint8Array<ArrayBuffer>]))
    })
  }

  async #told<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw signal?.aborted ? reasonOf(signal) : explained(this.#service, error)
    }
  }
}

/** As a text: the SDK's own enum would load it. */
function kindOf({ type }: Pick<EntryInfo, "type">): string | undefined {
  return type
}

/** That a command failed is a result. */
async function exitCodeOf(running: CommandHandle): Promise<number> {
  try {
    return (await running.wait()).exitCode
  } catch (error) {
    if (error instanceof Error && error.name === "CommandExitError" && running.exitCode !== undefined)
      return running.exitCode
    throw error
  }
}

async function bytesOf(stream: ReadableStream<Uint8Array>, bytesMax: number, path: string): Promise<Uint8Array> {
  const parts: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const part of stream as ReadableStream<Uint8Array<ArrayBuffer>>) {
    size += part.length
    if (size > bytesMax) throw tooLarge(path, bytesMax)
    parts.push(part)
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

function tooLarge(path: string, bytesMax: number): RouseError {
  return new RouseError("TOO_LARGE", `${path} is larger than ${bytesMax} bytes`)
}
