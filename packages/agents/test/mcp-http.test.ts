import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { McpServer, createMcpHandler } from "@modelcontextprotocol/server"
import { afterEach, beforeEach, expect, test } from "vitest"
import { z } from "zod"
import { RouseError } from "../src/index.ts"
import { closeMcp, mcpHttp, mcpOAuth, mcpTools } from "../src/mcp.ts"
import type { McpTokens } from "../src/mcp.ts"
import type { ToolContext } from "../src/tool.ts"

const CONTEXT = { idempotencyKey: "k", signal: new AbortController().signal } as ToolContext

/** A Streamable HTTP server over the official SDK, behind a bearer token, with an OAuth server that refreshes it. */
class Site implements AsyncDisposable {
  token = "first"
  refreshes = 0
  calls = 0
  answer = "pong"
  readonly #handler = createMcpHandler(() => {
    const server = new McpServer({ name: "site", version: "1.0.0" })
    server.registerTool("ping", { inputSchema: z.object({}) }, () => {
      this.calls += 1
      return { content: [{ type: "text", text: this.answer }] }
    })
    return server
  })
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const headers = new Headers(request.headers as Record<string, string>)
      const body = chunks.length === 0 ? {} : { body: Buffer.concat(chunks) }
      const asked = new Request(`${this.url}${request.url}`, { method: request.method ?? "GET", headers, ...body })
      this.#answer(asked, String(Buffer.concat(chunks))).then(
        async (answer) => {
          response.writeHead(answer.status, Object.fromEntries(answer.headers))
          for await (const chunk of answer.body ?? []) response.write(chunk)
          response.end()
        },
        () => response.destroy(),
      )
    })
  })

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async #answer(request: Request, body: string): Promise<Response> {
    const { pathname } = new URL(request.url)
    if (pathname.startsWith("/.well-known/oauth-protected-resource")) {
      return Response.json({ resource: `${this.url}/mcp`, authorization_servers: [this.url] })
    }
    if (pathname.startsWith("/.well-known/")) {
      return Response.json({
        issuer: this.url,
        authorization_endpoint: `${this.url}/authorize`,
        token_endpoint: `${this.url}/token`,
        response_types_supported: ["code"],
        token_endpoint_auth_methods_supported: ["none", "client_secret_post", "client_secret_basic"],
      })
    }
    if (pathname === "/token") return this.#refresh(new URLSearchParams(body))
    if (request.headers.get("authorization") === `Bearer ${this.token}`) return await this.#handler.fetch(request)
    const metadata = `Bearer resource_metadata="${this.url}/.well-known/oauth-protected-resource/mcp"`
    return new Response("no", { status: 401, headers: { "www-authenticate": metadata } })
  }

  #refresh(form: URLSearchParams): Response {
    if (form.get("refresh_token") !== "refresh-me") return Response.json({ error: "invalid_grant" }, { status: 400 })
    this.refreshes += 1
    return Response.json({ access_token: this.token, token_type: "bearer", refresh_token: "refresh-me" })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await closeMcp()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

let site: Site
beforeEach(async () => {
  site = await new Site().open()
})
afterEach(() => site[Symbol.asyncDispose]())

test("a server over HTTP serves its tools to who has the token, by reference", async () => {
  let asked = 0
  const server = mcpHttp({ url: `${site.url}/mcp`, token: () => ((asked += 1), site.token) })
  const [ping] = await mcpTools({ name: "site", server })
  expect(ping).toMatchObject({ name: "site_ping", effect: "once", backend: "mcp" })
  expect(await ping?.execute({}, CONTEXT)).toBe("pong")
  site.token = "second"
  expect(await ping?.execute({}, CONTEXT)).toBe("pong")
  expect(asked).toBeGreaterThan(2)
})

test("a token that is refused fails, and the call was not made", async () => {
  const server = mcpHttp({ url: `${site.url}/mcp`, token: "wrong" })
  await expect(mcpTools({ name: "site", server })).rejects.toSatisfy((error) => RouseError.is(error, "BACKEND_FAILED"))
  expect(site.calls).toBe(0)
})

test("OAuth tokens stay in their store, are refreshed there, and a person is asked for when they are refused", async () => {
  let kept: McpTokens | undefined = { access_token: "old", token_type: "bearer", refresh_token: "refresh-me" }
  const oauth = mcpOAuth({
    clientId: "rouse",
    tokens: {
      get: async () => kept,
      set: async (tokens) => {
        kept = tokens
      },
    },
  })
  const server = mcpHttp({ url: `${site.url}/mcp`, oauth })
  const [ping] = await mcpTools({ name: "site", server })
  expect(await ping?.execute({}, CONTEXT)).toBe("pong")
  expect(site.refreshes).toBe(1)
  expect(kept?.access_token).toBe("first")

  await closeMcp()
  kept = { access_token: "old", token_type: "bearer" }
  await expect(mcpTools({ name: "site", server })).rejects.toSatisfy((error) => RouseError.is(error, "UNAUTHENTICATED"))
})

test("calls that meet a session that is gone are all made in the next one, and none is lost to another's retry", async () => {
  const gone = new Set<string>()
  let sessions = 0
  const expiring: typeof fetch = async (input, init) => {
    const { method, id, params } = JSON.parse(String(init?.body ?? "{}")) as Record<string, never>
    if (method === "server/discover" || method === "initialize") sessions += 1
    const call = JSON.stringify((params as { _meta?: unknown } | undefined)?._meta ?? id)
    if (method !== "tools/call" || gone.has(call)) return await fetch(input, init)
    gone.add(call)
    await new Promise((resolve) => setTimeout(resolve, gone.size * 20))
    return Response.json(
      { jsonrpc: "2.0", id: null, error: { code: -32001, message: "Session not found" } },
      { status: 404 },
    )
  }
  const server = mcpHttp({ url: `${site.url}/mcp`, token: () => site.token, fetch: expiring })
  const [ping] = await mcpTools({ name: "site", server })
  expect(ping?.effect).toBe("once")
  const calls = Array.from({ length: 8 }, (_, n) => ping?.execute({}, { ...CONTEXT, idempotencyKey: `k${n}` }))
  expect(await Promise.all(calls)).toEqual(calls.map(() => "pong"))
  expect(site.calls).toBe(8)
  expect(sessions).toBeGreaterThan(1)
})

test("an answer without end is cut off, and nobody knows whether the call took effect", async () => {
  const server = mcpHttp({ url: `${site.url}/mcp`, token: () => site.token })
  const [ping] = await mcpTools({ name: "site", server })
  site.answer = "x".repeat(20 * 1024 * 1024)
  await expect(ping?.execute({}, CONTEXT)).rejects.toSatisfy((error) => RouseError.is(error, "OUTCOME_UNKNOWN"))
})

test("an address that is none is refused, and one where nobody listens was never asked", async () => {
  expect(() => mcpHttp({ url: "file:///etc/passwd" })).toThrow(/mcpHttp: url must be/)
  const server = mcpHttp({ url: "http://127.0.0.1:9/mcp" })
  await expect(mcpTools({ name: "site", server })).rejects.toSatisfy((error) => RouseError.is(error, "BACKEND_FAILED"))
})
