import type { IncomingMessage, ServerResponse } from "node:http"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { ChangeEvent, ErrorCode } from "@rouse/protocol"
import { problemOf, RouseError } from "@rouse/protocol"
import { onTestFinished } from "vitest"

/** A request as the server saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage["headers"]
  readonly body: unknown
}

export type Answer = (seen: Seen, response: ServerResponse) => void | Promise<void>

export interface CannedServer {
  readonly url: string
  readonly seen: Seen[]
  close(): Promise<void>
}

/** A real HTTP server that answers its requests one after the other from a list; the last answer stays. Closed when the test ends. */
export async function cannedServer(...answers: readonly Answer[]): Promise<CannedServer> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const text = Buffer.concat(chunks).toString()
      const { pathname, searchParams } = new URL(request.url ?? "/", "http://canned")
      const body: unknown = text === "" ? undefined : JSON.parse(text)
      const { method = "", headers } = request
      const now: Seen = { method, path: pathname, query: searchParams, headers, body }
      seen.push(now)
      await answers[Math.min(seen.length, answers.length) - 1]?.(now, response)
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  onTestFinished(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, close }
}

export const json =
  (body: unknown, status = 200): Answer =>
  (_, response) => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
  }

export const problem =
  (code: ErrorCode, detail: string, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    const document = problemOf(new RouseError(code, detail))
    response
      .writeHead(document.status, { "content-type": "application/problem+json", ...headers })
      .end(JSON.stringify(document))
  }

/** Takes the request and cuts the connection without an answer. */
export const hangUp: Answer = (_, response) => {
  response.socket?.destroy()
}

/** One server-sent event. */
export const sse = (event: string, data: unknown, id?: string): string =>
  `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`

/** Writes server-sent events, and then ends, cuts the connection, or leaves it open. */
export const events =
  (text: string, then: "end" | "cut" | "open"): Answer =>
  (_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" })
    response.write(text, () => {
      if (then === "end") response.end()
      // The bytes must have left before the connection is cut.
      if (then === "cut") setTimeout(() => response.socket?.destroy(), 20)
    })
  }

/** A log of Durable Streams: how many changes each live read tells before it is cut; those left over stay open. */
export function log(changes: readonly ChangeEvent[], cuts: (number | "half")[] = []): Answer {
  const offsetOf = (count: number): string => `o${String(count).padStart(6, "0")}`
  return (seen, response) => {
    const offset = seen.query.get("offset") ?? "-1"
    const from = offset === "-1" ? 0 : Number(offset.slice(1))
    if (seen.query.get("live") === null) {
      // The catch-up read knows the first half only, so that the rest is told live.
      const until = Math.max(from, Math.floor(changes.length / 2))
      const headers = { "stream-next-offset": offsetOf(until), "stream-up-to-date": "true" }
      response.writeHead(200, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(changes.slice(from, until)))
      return
    }
    if (seen.query.get("live") === "long-poll") {
      const headers = { "stream-next-offset": offsetOf(changes.length), "stream-up-to-date": "true" }
      if (from === changes.length) return
      response.writeHead(200, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(changes.slice(from)))
      return
    }
    const cut = cuts.shift()
    const until = cut === undefined ? changes.length : cut === "half" ? from + 1 : from + cut
    let text = ""
    for (let n = from; n < Math.min(until, changes.length); n++) {
      text += `event: data\ndata: ${JSON.stringify([changes[n]])}\n\n`
      const control = { streamNextOffset: offsetOf(n + 1), upToDate: n + 1 === changes.length }
      if (cut !== "half") text += `event: control\ndata: ${JSON.stringify(control)}\n\n`
    }
    void events(text === "" ? ": nothing\n\n" : text, cut === undefined ? "open" : "cut")(seen, response)
  }
}

/** Sleeps not at all, and notes how long it would have. */
export function instantClock(): { nowMs(): number; sleep(ms: number): Promise<void>; readonly slept: number[] } {
  const slept: number[] = []
  let nowMs = 0
  return {
    slept,
    nowMs: () => nowMs,
    sleep: async (ms) => {
      slept.push(ms)
      nowMs += ms
    },
  }
}
