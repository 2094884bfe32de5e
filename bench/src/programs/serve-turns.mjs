import { createServer } from "node:http"

/** Longer than a bench lets a connection rest. */
const KEEP_ALIVE_MS = 65_000

/**
 * The least server that settles turns: parses the message, does what `keep` does with the lines of both, and answers. The baselines are
 * JavaScript, because a Node that strips types has 17 MB more resident.
 *
 * @param {(lines: string) => Promise<void>} keep
 */
export function serveTurns(keep) {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
    const parts = []
    request.on("data", (part) => parts.push(part))
    request.on("end", () => {
      const { content } = JSON.parse(Buffer.concat(parts).toString() || "{}")
      const message = JSON.stringify({ agent: request.url, content })
      const reply = JSON.stringify({ url: request.url, status: "processed", reply: `You said: ${content}` })
      void keep(`${message}\n${reply}\n`).then(() => {
        response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(reply) })
        response.end(reply)
      })
    })
  })
  server.listen(0, "127.0.0.1", () => {
    process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })}\n`)
  })
  process.on("SIGTERM", () => process.exit(0))
}
