/** Handlers out of the server's process: `webhook` or `pull`, and the server's address. Says `{ url }`, its own or the server's, when it serves. */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { createHandler, createWorker } from "@rouse/agents"
import { echo } from "./entities.ts"

const [way, server = ""] = process.argv.slice(2)
const options = { entities: [echo], server, version: "v1" }

if (way === "pull") {
  createWorker({ ...options, capacity: 64 })
  announce(server)
} else {
  const handler = createHandler(options)
  const listening = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)])
      const request = new Request(`http://handler${incoming.url}`, {
        method: incoming.method ?? "GET",
        headers,
        ...(chunks.length > 0 ? { body: Buffer.concat(chunks) } : {}),
      })
      void handler(request).then(async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers))
        outgoing.end(await response.text())
      })
    })
  })
  listening.listen(0, "127.0.0.1", () =>
    announce(`http://127.0.0.1:${(listening.address() as AddressInfo).port}/agents`),
  )
}

function announce(url: string): void {
  process.stdout.write(`${JSON.stringify({ url })}\n`)
}
