import { appendFileSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { EffectBook } from "../core/effect-book.ts"
import type { Execution } from "../core/effect-book.ts"

/**
 * The outside ledger: a process of its own that is never killed, and so the judge of what tools did.
 *
 * `POST /effect` has an effect, `GET /find?key=` says whether it happened, `GET /report` says everything. Each effect is also a
 * line of the file named by the first argument; the second is what to listen on. Ends when its input does.
 */
const [file = "", host = "127.0.0.1"] = process.argv.slice(2)
const book = new EffectBook()

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://ledger")
  if (request.method === "POST" && url.pathname === "/effect") {
    const execution = JSON.parse(await text(request)) as Execution
    const entry = book.record(execution)
    if (file !== "") appendFileSync(file, `${JSON.stringify(execution)}\n`)
    return send(response, 200, entry)
  }
  if (url.pathname === "/find") {
    const found = book.find(url.searchParams.get("key") ?? "")
    return send(response, found === undefined ? 404 : 200, found ?? null)
  }
  if (url.pathname === "/report") return send(response, 200, book.report())
  return send(response, 404, null)
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    // A request that was cut off by the crash under test: nothing happened.
    process.stderr.write(`${String(error)}\n`)
    response.destroy()
  })
})
// The judge takes a call that failed for a fault: a connection must not be closed under a request that is on its way.
server.keepAliveTimeout = 0
server.listen(0, host, () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
process.stdin.on("end", () => process.exit(0)).resume()
