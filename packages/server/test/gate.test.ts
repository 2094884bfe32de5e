import { defineEntity } from "@rouse/agents"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { adminToken, createServer, parseTokens, silentLog } from "../src/index.ts"
import { defer, Harness } from "./harness.ts"

const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })

const READ = "read-token-0123456789"
const WRITE = "write-token-0123456789"
const ADMIN = "admin-token-0123456789"
const tokens = parseTokens(
  JSON.stringify({
    tokens: [
      { name: "reader", token: READ, scope: "read" },
      { name: "writer", token: WRITE, scope: "write" },
      { name: "root", token: ADMIN, scope: "admin" },
    ],
  }),
)

let harness: Harness
beforeAll(async () => {
  harness = await Harness.open({ entities: [simple], tokens })
  await harness.call("PUT", "/v1/entities/simple/a", {}, bearer(WRITE))
})
afterAll(() => harness.close())

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Every path that the server answers, with the least scope that opens it. */
const ROUTES: readonly (readonly [method: string, path: string, scope: "read" | "write" | "admin"])[] = [
  ["GET", "/v1/entities", "read"],
  ["GET", "/v1/entities/simple/a", "read"],
  ["PUT", "/v1/entities/simple/b", "write"],
  ["DELETE", "/v1/entities/simple/gone", "admin"],
  ["GET", "/v1/entities/simple/a/state", "read"],
  ["GET", "/v1/entities/simple/a/state/message", "read"],
  ["POST", "/v1/entities/simple/a/messages", "write"],
  ["POST", "/v1/entities/simple/a/signals", "write"],
  ["POST", "/v1/entities/simple/a/approvals/x", "write"],
  ["POST", "/v1/entities/simple/a/retry", "write"],
  ["POST", "/v1/entities/simple/a/tags", "write"],
  ["GET", "/v1/types", "read"],
  ["PUT", "/v1/types/elsewhere", "admin"],
  ["POST", "/v1/import", "admin"],
  ["PUT", "/v1/shared/board", "write"],
  ["POST", "/v1/shared/board/claims", "write"],
  ["GET", "/v1/webhook-sources", "read"],
  ["PUT", "/v1/webhook-sources/gh", "admin"],
  ["GET", "/v1/event-subscriptions", "admin"],
  ["PUT", "/v1/event-subscriptions/billing", "admin"],
  ["GET", "/openai/v1/models", "read"],
  ["POST", "/openai/v1/chat/completions", "write"],
  // Other spellings of the same paths.
  ["PUT", "/v1/t%79pes/elsewhere", "admin"],
  ["POST", "/v1/imp%6Frt", "admin"],
  ["PUT", "/v1/webhook%2Dsources/gh", "admin"],
  ["GET", "/v1/event%2Dsubscriptions", "admin"],
  ["PUT", "/%76%31/event-subscriptions/billing", "admin"],
  ["GET", "/%6Fpenai/v1/models", "read"],
  ["GET", "/v1/info", "read"],
  ["GET", "/v1/stream/entities/simple/a", "read"],
  ["HEAD", "/v1/stream/entities/simple/a", "read"],
  ["PUT", "/v1/stream/mine", "write"],
  ["POST", "/v1/stream/mine", "write"],
  ["DELETE", "/v1/stream/mine", "admin"],
  ["GET", "/v1/anything/else", "read"],
]

describe("with tokens", () => {
  for (const [method, path, scope] of ROUTES) {
    test(`${method} ${path} needs ${scope}`, async () => {
      expect((await status(method, path)).status).toBe(401)
      expect((await status(method, path, bearer("not-a-token-0123456789"))).status).toBe(401)
      expect((await status(method, path, { authorization: "Basic cm9vdDpyb290" })).status).toBe(401)
      if (scope !== "read") expect((await status(method, path, bearer(READ))).status).toBe(403)
      if (scope === "admin") expect((await status(method, path, bearer(WRITE))).status).toBe(403)
      const open = { read: READ, write: WRITE, admin: ADMIN }[scope]
      expect([401, 403]).not.toContain((await status(method, path, bearer(open))).status)
      expect([401, 403]).not.toContain((await status(method, path, bearer(ADMIN))).status)
    })
  }

  test("health needs none", async () => {
    expect((await status("GET", "/healthz")).status).toBe(200)
    expect((await status("GET", "/readyz")).status).toBe(200)
  })

  test("a refusal says how to come in, and never repeats the token", async () => {
    const response = await status("GET", "/v1/entities", bearer("secret-secret-secret"))
    expect(response.headers.get("www-authenticate")).toContain("Bearer")
    expect(await response.text()).not.toContain("secret")
  })

  test("who asked is on the log", async () => {
    await harness.call("POST", "/v1/entities/simple/a/messages?wait=20s", { content: "x" }, bearer(WRITE))
    const { body } = await harness.call<{ type: string; value: { from?: { id: string } } }[]>(
      "GET",
      "/v1/stream/entities/simple/a",
      undefined,
      bearer(READ),
    )
    expect(body.find((event) => event.type === "message")?.value.from).toEqual({ kind: "user", id: "writer" })
    expect(JSON.stringify(body)).not.toContain(WRITE)
  })
})

describe("without tokens only this machine may come in", () => {
  let open: Harness
  beforeAll(async () => {
    open = await Harness.open({ entities: [simple] })
  })
  afterAll(() => open.close())

  const get = (headers: Record<string, string>) => open.call("GET", "/v1/entities", undefined, headers)

  test("localhost may", async () => {
    for (const host of ["localhost", "localhost:4437", "127.0.0.1:4437", "[::1]:4437"])
      expect((await get({ host })).status).toBe(200)
  })

  test("a name that was rebound to this machine may not", async () => {
    for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4437"])
      expect((await get({ host })).status).toBe(403)
  })

  test("another site's page may not", async () => {
    expect((await get({ host: "localhost:4437", origin: "https://evil.example" })).status).toBe(403)
    expect((await get({ host: "localhost:4437", origin: "http://localhost:3000" })).status).toBe(403)
    expect((await get({ host: "localhost:4437", "sec-fetch-site": "cross-site" })).status).toBe(403)
    expect((await get({ host: "localhost:4437", origin: "http://localhost:4437" })).status).toBe(200)
  })

  test("another address is not listened on", async () => {
    const server = createServer({
      store: open.store,
      entities: [],
      clock: Date.now,
      random: Math.random,
      defer,
      log: silentLog,
      host: { clock: Date.now, random: Math.random, log: silentLog },
    })
    await expect(server.listen({ host: "0.0.0.0", port: 0 })).rejects.toMatchObject({ code: "FORBIDDEN" })
  })
})

describe("tokens", () => {
  test("a bad file is refused by field, without its secrets", () => {
    expect(() => parseTokens("{")).toThrow("not valid JSON")
    expect(() => parseTokens('{"tokens":[]}')).toThrow("tokens")
    expect(() => parseTokens('{"tokens":[{"name":"a","token":"short","scope":"read"}]}')).toThrow("tokens.0.token")
    expect(() => parseTokens('{"tokens":[{"name":"a","token":"long-enough-to-be-one","scope":"all"}]}')).toThrow(
      "tokens.0.scope",
    )
    expect(() => parseTokens('{"tokens":[{"name":"a","scope":"read"}]}')).toThrow("give token or sha256")
  })

  test("one from the environment must be long enough", () => {
    expect(() => adminToken("ROUSE_TOKEN", "short")).toThrow("ROUSE_TOKEN")
    expect(adminToken("ROUSE_TOKEN", "long-enough-to-be-one").scope).toBe("admin")
  })
})

function status(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
  const body = method === "POST" || method === "PUT" ? { body: "{}" } : {}
  const request = new Request(`http://localhost${path}`, {
    method,
    headers: { host: "localhost", ...headers },
    ...body,
  })
  return harness.server.fetch(request)
}
