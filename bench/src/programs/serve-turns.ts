import { createServer } from "node:http"
import type { AddressInfo } from "node:net"

/** The least server that settles turns: parses the message, does what `keep` does with both lines, and answers. */
export function serveTurns(keep: (lines: string) => Promise<void>): void {
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    const parts: Buffer[] = []
    request.on("data", (part: Buffer) => parts.push(part))
    request.on("end", () => {
      const { content } = JSON.parse(Buffer.concat(parts).toString() || "{}") as { content?: string }
      const message = JSON.stringify({ agent: request.url, content })
      const reply = JSON.stringify({ url: request.url, status: "processed", reply: `You said: ${content}` })
      void keep(`${message}\n${reply}\n`).then(() => {
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(reply) })
        response.end(reply)
      })
    })
  })
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
  })
  process.on("SIGTERM", () => process.exit(0))
}
