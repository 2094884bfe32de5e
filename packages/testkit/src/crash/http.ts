import { Agent, request } from "node:http"

/** Sockets kept to one server. */
const SOCKETS_MAX = 64

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

export interface Call {
  readonly method: "GET" | "POST" | "PUT"
  readonly url: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface HttpOptions {
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>
  /** How long an answer may take, milliseconds. Without it, as long as the connection lasts. */
  readonly answerMsMax?: number
}

/** Plain HTTP over kept connections: quick to load, and it never repeats a request by itself. */
export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX })
  readonly #options: HttpOptions

  constructor(options: HttpOptions = {}) {
    this.#options = options
  }

  /** Rejects when the connection breaks before the whole answer is here. */
  call({ method, url, body, headers = {} }: Call): Promise<Reply> {
    const text = body === undefined ? undefined : JSON.stringify(body)
    const type =
      text === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) }
    return new Promise((resolve, reject) => {
      const { headers: always, answerMsMax } = this.#options
      const options = { method, agent: this.#agent, headers: { ...always, ...headers, ...type } }
      const outgoing = request(url, options, (incoming) => {
        const chunks: Buffer[] = []
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
        incoming.on("error", reject)
        incoming.on("close", () => {
          if (!incoming.complete) return reject(new Error("the connection broke in the middle of an answer"))
          resolve({
            status: incoming.statusCode ?? 0,
            headers: incoming.headers,
            body: Buffer.concat(chunks).toString(),
          })
        })
      })
      outgoing.on("error", reject)
      if (answerMsMax !== undefined) {
        const late = setTimeout(() => outgoing.destroy(new Error("the connection broke: no answer came")), answerMsMax)
        outgoing.on("close", () => clearTimeout(late))
      }
      outgoing.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
