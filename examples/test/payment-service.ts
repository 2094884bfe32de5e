import { appendFileSync, existsSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * A payment service as a process of its own: `node payment-service.ts PORT FILE`. Its ledger is a file that only grows. What an order is named
 * decides how it misbehaves; in its errors and its answers it shows the key that it was sent, as careless services do.
 */
const [port = "0", file = "payments.jsonl"] = process.argv.slice(2)
const busy = new Set<string>()

interface Payment {
  readonly key: string
  readonly order: string
  readonly cents: number
  readonly kind: "payments" | "refunds"
}

function ledger(): readonly Payment[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, "utf8").split("\n")
  return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Payment]))
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", "retry-after": "0" }).end(JSON.stringify(body))
}

function pay(request: IncomingMessage, response: ServerResponse, kind: Payment["kind"], body: string): void {
  const { order, cents } = JSON.parse(body) as Payment
  const key = String(request.headers["idempotency-key"])
  const sent = { key: request.headers["x-api-key"], base64: btoa(`:${String(request.headers["x-api-key"])}`) }
  if (order.startsWith("refused")) return answer(response, 422, { error: "no such order", sent })
  if (order.startsWith("busy") && !busy.has(key)) {
    busy.add(key)
    return answer(response, 503, { error: "come back", sent })
  }
  if (order.startsWith("lost") && !existsSync(`${file}.${order}`)) {
    appendFileSync(`${file}.${order}`, "")
    return void process.stdout.write(`hangs ${order}\n`)
  }
  const known = ledger().find((payment) => payment.key === key)
  if (known === undefined) appendFileSync(file, `${JSON.stringify({ key, order, cents, kind })}\n`)
  if (kind === "payments" && order.startsWith("hangs")) return void process.stdout.write(`hangs ${order}\n`)
  answer(response, 201, { order, cents, sent })
}

const server = createServer((request, response) => {
  let body = ""
  request.setEncoding("utf8").on("data", (text: string) => (body += text))
  request.on("end", () => {
    const url = new URL(request.url ?? "/", "http://localhost")
    if (request.headers["x-api-key"] !== process.env["PAYMENTS_KEY"])
      return answer(response, 401, { error: "who are you?" })
    const kind = url.pathname === "/refunds" ? "refunds" : "payments"
    if (request.method === "POST") return pay(request, response, kind, body)
    const key = url.searchParams.get("key")
    answer(
      response,
      200,
      ledger().filter((made) => made.kind === kind && made.key === key),
    )
  })
})
server.listen(Number(port), "127.0.0.1", () => {
  process.stdout.write(`listens ${(server.address() as AddressInfo).port}\n`)
})
