import { createServer, request } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import { listen } from "./serve.ts"

/** How a request fares on its way. */
export type Fate = "through" | "lost" | "unanswered" | "twice" | "late" | "cut"

export interface RoughProxy {
  readonly url: string
  readonly fates: Readonly<Record<Fate, number>>
  /** From now on everything passes as it should. */
  calm(): void
  close(): Promise<void>
}

const LATE_MS_MAX = 60
/** A body is cut after this many of its pieces at most. */
const CUT_AFTER_BYTES_MAX = 2_000

/**
 * Stands between a client and a server, and does to requests what networks do: loses them, loses their answers, repeats them, lets later ones
 * overtake them, and cuts answers in their middle.
 */
export async function roughProxy(target: string, random: () => number): Promise<RoughProxy> {
  const fates: Record<Fate, number> = { through: 0, lost: 0, unanswered: 0, twice: 0, late: 0, cut: 0 }
  let isCalm = false
  const pick = (): Fate => {
    const names: readonly Fate[] = ["lost", "unanswered", "twice", "late", "cut"]
    return isCalm || random() < 0.5 ? "through" : (names.at(Math.floor(random() * names.length)) ?? "through")
  }
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk as Buffer)
      const fate = pick()
      fates[fate] += 1
      if (fate === "lost") {
        incoming.socket.destroy()
        return
      }
      if (fate === "late") await new Promise((resolve) => setTimeout(resolve, random() * LATE_MS_MAX))
      const body = Buffer.concat(chunks)
      // The copy travels beside it: either may be first.
      if (fate === "twice" && incoming.method === "POST") forward(target, incoming, body, undefined, Infinity)
      const bytesMax = fate === "cut" ? random() * CUT_AFTER_BYTES_MAX : Infinity
      forward(target, incoming, body, fate === "unanswered" ? undefined : outgoing, bytesMax)
      if (fate === "unanswered") setTimeout(() => incoming.socket.destroy(), LATE_MS_MAX)
    })().catch(() => incoming.socket.destroy())
  })
  const url = await listen(server)
  const close = async (): Promise<void> => {
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
  return { url, fates, close, calm: () => (isCalm = true) }
}

function forward(
  target: string,
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse | undefined,
  bytesMax: number,
): void {
  const { "transfer-encoding": _, "content-length": __, ...headers } = incoming.headers
  const length = body.length > 0 ? { "content-length": String(body.length) } : {}
  const onward = request(`${target}${incoming.url}`, {
    method: incoming.method ?? "GET",
    headers: { ...headers, ...length },
    agent: false,
  })
  onward.on("error", () => outgoing?.destroy())
  onward.on("response", (answer) => {
    let bytes = 0
    if (outgoing === undefined) return void answer.resume()
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    outgoing.flushHeaders()
    answer.on("data", (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) return void outgoing.write(chunk)
      outgoing.write(chunk.subarray(0, chunk.length / 2))
      outgoing.destroy()
      onward.destroy()
    })
    answer.on("end", () => outgoing.end())
    answer.on("error", () => outgoing.destroy())
    outgoing.on("close", () => onward.destroy())
  })
  onward.end(body)
}
