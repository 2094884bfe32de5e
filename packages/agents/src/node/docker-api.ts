/// <reference types="node" />
import { request } from "node:http"
import type { IncomingMessage } from "node:http"
import { RouseError } from "@rouse/protocol"

const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const API = "/v1.41"
const FRAME_HEAD_BYTES = 8
const STDERR = 2

/** Where the Docker daemon listens: a socket's path, or an address. */
export type DockerHost = { readonly socketPath: string } | { readonly host: string; readonly port: number }

export interface DockerAnswer {
  readonly status: number
  readonly body: unknown
}

/** The part of Docker's Engine API that a sandbox needs. */
export class DockerApi {
  readonly #host: DockerHost

  constructor(host: DockerHost) {
    this.#host = host
  }

  /** One request; its answer read as JSON. @throws {RouseError} `BACKEND_FAILED` when the daemon cannot be reached. */
  async call(method: string, path: string, body?: object, signal?: AbortSignal): Promise<DockerAnswer> {
    const response = await this.#send(method, path, body, signal)
    const text = (await whole(response)).toString("utf8")
    return { status: response.statusCode ?? 0, body: text === "" ? null : parsed(text) }
  }

  /** As `call`, where any status but these is an error. @throws {RouseError} `BACKEND_REFUSED` with the daemon's own words. */
  async expect(
    statuses: readonly number[],
    method: string,
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const answer = await this.call(method, path, body, signal)
    if (statuses.includes(answer.status)) return answer.body
    throw refused(answer)
  }

  /** Starts an exec and gives its outputs as they come: frames of a kind, a length and that many bytes. */
  async stream(
    path: string,
    body: object,
    signal: AbortSignal,
    take: (chunk: Buffer, isError: boolean) => void,
  ): Promise<void> {
    const response = await this.#send("POST", path, body, signal)
    if (response.statusCode !== 200) {
      const text = (await whole(response)).toString("utf8")
      throw refused({ status: response.statusCode ?? 0, body: parsed(text) })
    }
    let rest: Buffer = Buffer.alloc(0)
    for await (const chunk of response as AsyncIterable<Buffer>) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      while (rest.length >= FRAME_HEAD_BYTES) {
        const length = rest.readUInt32BE(4)
        if (length > ANSWER_BYTES_MAX) throw new RouseError("BACKEND_FAILED", "docker sent a frame that is too large")
        if (rest.length < FRAME_HEAD_BYTES + length) break
        take(rest.subarray(FRAME_HEAD_BYTES, FRAME_HEAD_BYTES + length), rest[0] === STDERR)
        rest = rest.subarray(FRAME_HEAD_BYTES + length)
      }
    }
  }

  #send(
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<IncomingMessage> {
    const text = body === undefined ? "" : JSON.stringify(body)
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          ...this.#host,
          method,
          path: API + path,
          headers: { host: "docker", "content-type": "application/json", "content-length": Buffer.byteLength(text) },
          agent: false,
          ...(signal ? { signal } : {}),
        },
        resolve,
      )
      sent.once("error", (cause) => {
        if (signal?.aborted) reject(signal.reason as Error)
        else reject(new RouseError("BACKEND_FAILED", `docker cannot be reached: ${cause.message}`, { cause }))
      })
      sent.end(text)
    })
  }
}

async function whole(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > ANSWER_BYTES_MAX) throw new RouseError("BACKEND_FAILED", "docker's answer is too large")
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // An error page of something between us and the daemon: shown as it is.
    return { message: text.slice(0, 500) }
  }
}

export function refused({ status, body }: DockerAnswer): RouseError {
  const { message } = (body ?? {}) as { readonly message?: unknown }
  return new RouseError(
    "BACKEND_REFUSED",
    `docker answered ${status}: ${typeof message === "string" ? message : "no reason"}`,
  )
}
