import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"
import type { Host } from "../../src/host.ts"
import { vaultOf } from "../../src/secrets/vault.ts"
import type { ToolContext } from "../../src/tool.ts"
import { testHost } from "./backend.ts"

export interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** A real HTTP server whose answers are given one by one: the last one stays. */
export class Service {
  readonly seen: Seen[] = []
  readonly url: string
  /** Ends it before its test does. */
  readonly close: () => Promise<void>

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url
    this.close = close
  }

  static async open(
    ...answers: readonly ((response: ServerResponse, seen: Seen, service: Service) => void)[]
  ): Promise<Service> {
    let at = 0
    const server = createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8").on("data", (text: string) => (body += text))
      request.on("end", () => {
        const seen = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body }
        service.seen.push(seen)
        const answer = answers[Math.min(at, answers.length - 1)]
        at += 1
        answer?.(response, seen, service)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const service: Service = new Service(
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      () =>
        new Promise((resolve) => {
          server.closeAllConnections()
          server.close(() => resolve())
        }),
    )
    onTestFinished(service.close)
    return service
  }
}

export function json(body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}) {
  return (response: ServerResponse): void => {
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body))
  }
}

/** The connection ends without an answer. */
export function cut(response: ServerResponse): void {
  response.destroy()
}

const none = (): Promise<never> => Promise.reject(new Error("there are no attachments here"))

export function toolContext(
  overrides: Partial<Host> = {},
  signal: AbortSignal = new AbortController().signal,
): ToolContext {
  const host = testHost({ isPrivateAllowed: true, ...overrides })
  const vault = vaultOf(host)
  return {
    idempotencyKey: "assistant/one@1/call",
    signal,
    attempt: 1,
    entity: {
      url: "/assistant/one",
      type: "assistant",
      id: "one",
      args: {},
      tags: {},
      parent: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    },
    attachments: { put: none, get: none, list: none },
    log: vault.log(host.log),
    secret: (wanted) => vault.resolve(wanted),
    redact: (text) => vault.text(text),
    host,
  }
}
