/** One HTTP/1.1 answer. */
export interface RawAnswer {
  readonly status: number
  readonly body: Buffer
}

const HEAD_END = "\r\n\r\n"
const CHUNKS_END = "\r\n0\r\n\r\n"

/**
 * Takes an HTTP/1.1 answer from a connection, in whatever pieces it comes. Knows `content-length`, `chunked` and answers
 * without a body; keeps nothing beyond the answer under way, since a connection has one request under way.
 */
export class AnswerParser {
  #held: Buffer = Buffer.alloc(0)

  /** The answer, when these bytes completed it. */
  push(data: Buffer): RawAnswer | undefined {
    const all = this.#held.length === 0 ? data : Buffer.concat([this.#held, data])
    const answer = parseAnswer(all)
    this.#held = answer === undefined ? all : Buffer.alloc(0)
    return answer
  }
}

/** @throws {Error} when it is not HTTP/1.1. */
export function parseAnswer(all: Buffer): RawAnswer | undefined {
  const headEnd = all.indexOf(HEAD_END)
  if (headEnd < 0) return undefined
  const head = all.toString("latin1", 0, headEnd).toLowerCase()
  if (!head.startsWith("http/1.1 ")) throw new Error(`not an HTTP/1.1 answer: ${head.slice(0, 40)}`)
  const status = Number(head.slice(9, 12))
  const bodyAt = headEnd + HEAD_END.length
  if (status === 204 || status === 304) return { status, body: Buffer.alloc(0) }
  if (head.includes("\r\ntransfer-encoding: chunked")) return chunked(status, all, bodyAt)
  const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? "0")
  return all.length < bodyAt + length ? undefined : { status, body: all.subarray(bodyAt, bodyAt + length) }
}

function chunked(status: number, all: Buffer, bodyAt: number): RawAnswer | undefined {
  // The last chunk follows the line end of the one before it, or that of the head.
  if (all.indexOf(CHUNKS_END, bodyAt - 2) < 0) return undefined
  const chunks: Buffer[] = []
  for (let at = bodyAt; ;) {
    const lineEnd = all.indexOf("\r\n", at)
    const size = Number.parseInt(all.toString("latin1", at, lineEnd), 16)
    if (size === 0) return { status, body: Buffer.concat(chunks) }
    chunks.push(all.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
}
