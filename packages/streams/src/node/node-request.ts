import type { IncomingMessage, ServerResponse } from "node:http"
import { tooLarge } from "../body.ts"
import type { HeaderReader } from "../core/header-reader.ts"
import type { StreamRequest } from "../request.ts"

const EMPTY = new Uint8Array(0)

/** A request of `node:http` as an operation takes it: nothing is made of it that is not asked for. */
export class NodeRequest implements StreamRequest, HeaderReader {
  readonly method: string
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  #fields: Map<string, string> | undefined

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.method = incoming.method ?? "GET"
  }

  get headers(): HeaderReader {
    return this
  }

  get(name: string): string | null {
    return (this.#fields ??= fieldsOf(this.#incoming.rawHeaders)).get(name) ?? null
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#incoming
  }

  get signal(): AbortSignal {
    const abort = new AbortController()
    const { socket } = this.#incoming
    if (socket.destroyed) abort.abort()
    else this.#outgoing.once("close", () => abort.abort())
    return abort.signal
  }

  take(bytesMax: number): Promise<Uint8Array> {
    const incoming = this.#incoming
    // Without a length and without chunks there is no body.
    if (incoming.complete && incoming.readableLength === 0) return Promise.resolve(EMPTY)
    return new Promise((resolve, reject) => {
      let first: Uint8Array | undefined
      let more: Uint8Array[] | undefined
      let length = 0
      incoming.on("data", (chunk: Uint8Array) => {
        length += chunk.length
        if (length > bytesMax) reject(tooLarge(bytesMax))
        else if (first === undefined) first = chunk
        else if (more === undefined) more = [first, chunk]
        else more.push(chunk)
      })
      incoming.on("end", () => resolve(more === undefined ? (first ?? EMPTY) : Buffer.concat(more, length)))
      // Without a listener it would be thrown. That it broke off is told by `close`.
      incoming.on("error", () => undefined)
      incoming.on("close", () => {
        if (!incoming.complete) reject(new Error("the client broke off"))
      })
    })
  }
}

/** All of them: `incoming.headers` keeps only one of some. */
function fieldsOf(raw: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>()
  for (let at = 0; at < raw.length; at += 2) {
    const name = (raw[at] as string).toLowerCase()
    const value = raw[at + 1] as string
    const before = fields.get(name)
    fields.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  return fields
}
