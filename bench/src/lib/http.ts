import { connect, type Socket } from "node:net"
import { AnswerParser, type RawAnswer } from "./answer-parser.ts"

/** How long one request may take before the bench gives up. */
const ANSWER_MS_MAX = 30_000
const JSON_TYPE = "application/json"

/**
 * One keep-alive connection with one request under way at most: the cheapest client that there is in Node, so that what is
 * measured is the server. Requests are written in one piece, and an answer's body is only decoded by who wants it.
 */
export class Connection {
  readonly #socket: Socket
  readonly #host: string
  readonly #parser = new AnswerParser()
  #resolve: ((answer: RawAnswer) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #ended: Error | undefined

  private constructor(socket: Socket, host: string) {
    this.#socket = socket
    this.#host = host
    socket.setNoDelay(true)
    socket.setTimeout(ANSWER_MS_MAX, () => this.#fail(new Error(`nothing was heard for ${ANSWER_MS_MAX} ms`)))
    socket.on("data", (data) => this.#onData(data))
    socket.on("error", (error) => this.#fail(error))
    socket.on("close", () => this.#fail(new Error("the server closed the connection")))
  }

  static open(url: string): Promise<Connection> {
    const { hostname, port, host } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      socket.once("error", reject)
      socket.once("connect", () => {
        socket.off("error", reject)
        resolve(new Connection(socket, host))
      })
    })
  }

  /** @param type Of the body; sent without one too, when it is given. */
  request(method: string, path: string, body = "", type = body === "" ? undefined : JSON_TYPE): Promise<RawAnswer> {
    if (this.#ended) return Promise.reject(this.#ended)
    const length = Buffer.byteLength(body)
    const typeLine = type === undefined ? "" : `content-type: ${type}\r\n`
    this.#socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${typeLine}content-length: ${length}\r\n\r\n${body}`,
    )
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** @throws {Error} when the status is not a 2xx, with the body. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.request(method, path, body === undefined ? "" : JSON.stringify(body))
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.body.toString()}`)
    return JSON.parse(answer.body.toString()) as T
  }

  close(): void {
    this.#fail(new Error("the connection was closed"))
  }

  #onData(data: Buffer): void {
    const answer = this.#parser.push(data)
    if (answer === undefined) return
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#reject = undefined
    resolve?.(answer)
  }

  #fail(error: Error): void {
    this.#ended ??= error
    this.#socket.destroy()
    this.#reject?.(error)
    this.#resolve = undefined
    this.#reject = undefined
  }
}
