import { createHmac, createHash, generateKeyPairSync, verify } from "node:crypto"
import type { ServerResponse } from "node:http"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { verdictOf } from "../src/core/http-verdict.ts"
import type { Tried } from "../src/core/http-verdict.ts"
import { clientCredentials, defineEntity, httpTool, secret } from "../src/index.ts"
import type { Effect, HttpToolOptions, Tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import { Service, cut, json, toolContext } from "./support/service.ts"

const input = z.object({ order: z.string(), cents: z.number() })
type Options = Partial<HttpToolOptions<typeof input>>

function charge(service: { readonly url: string }, options: Options = {}): Tool {
  const effect: Effect = options.effect ?? "idempotent"
  const common = { name: "charge", description: "Charges", input, url: `${service.url}/orders/{order}/charges` }
  return httpTool({ ...common, ...options, effect })
}

const INPUT = { order: "o 1/2", cents: 5 }

test("a request carries the key, the rest of the input as JSON, and secrets", async () => {
  const service = await Service.open(json({ id: "c1" }, 201))
  const made = charge(service, {
    auth: { bearer: secret("PAY_KEY") },
    headers: { "X-Tenant": secret("TENANT"), "x-n": () => "1" },
  })
  expect(made.backend).toBe("http")
  const ctx = toolContext({ secrets: (name) => `${name}-value` })
  expect(await made.execute(INPUT, ctx)).toEqual({ id: "c1" })
  expect(service.seen).toMatchObject([
    {
      method: "POST",
      url: "/orders/o%201%2F2/charges",
      body: '{"cents":5}',
      headers: {
        "idempotency-key": "assistant/one@1/call",
        authorization: "Bearer PAY_KEY-value",
        "x-tenant": "TENANT-value",
        "x-n": "1",
        "content-type": "application/json",
      },
    },
  ])
})

test("a GET has its input in the query, no body and no key", async () => {
  const service = await Service.open(json([1]))
  const made = charge(service, { method: "GET", effect: "pure", auth: { query: "key", value: secret("PAY_KEY") } })
  expect(await made.execute(INPUT, toolContext({ secrets: () => "pay-key-value" }))).toEqual([1])
  expect(service.seen).toMatchObject([
    { method: "GET", url: "/orders/o%201%2F2/charges?cents=5&key=pay-key-value", body: "" },
  ])
  expect(service.seen[0]?.headers["idempotency-key"]).toBeUndefined()
})

test.each(["..", ".", ""])("a parameter %j cannot leave its place in the path", async (order) => {
  const service = await Service.open(json(1))
  await expect(charge(service).execute({ order, cents: 1 }, toolContext())).rejects.toMatchObject({
    code: "INVALID_ARGS",
  })
  expect(service.seen).toEqual([])
})

describe("what is tried again", () => {
  const attempts = 3
  const limits = { attempts, delayMs: 10, delayMsMax: 10_000 }
  const unsent: Tried = { kind: "unsent", words: "w" }
  const lost: Tried = { kind: "cut", words: "w" }
  const busy: Tried = { kind: "answered", status: 429, retryAfterMs: 2_000, words: "w" }
  const fault: Tried = { kind: "answered", status: 500, words: "w" }
  const no: Tried = { kind: "answered", status: 422, words: "w" }
  const odd: Tried = { kind: "unreadable", words: "w" }
  const table: Record<Effect, readonly (readonly [Tried, string])[]> = {
    pure: [
      [unsent, "again"],
      [lost, "again"],
      [busy, "again"],
      [fault, "again"],
      [no, "BACKEND_REFUSED"],
      [odd, "BACKEND_FAILED"],
    ],
    idempotent: [
      [unsent, "again"],
      [lost, "again"],
      [busy, "again"],
      [fault, "again"],
      [no, "BACKEND_REFUSED"],
      [odd, "BACKEND_FAILED"],
    ],
    reconcilable: [
      [unsent, "again"],
      [lost, "OUTCOME_UNKNOWN"],
      [busy, "again"],
      [fault, "OUTCOME_UNKNOWN"],
      [no, "BACKEND_REFUSED"],
      [odd, "OUTCOME_UNKNOWN"],
    ],
    once: [
      [unsent, "again"],
      [lost, "OUTCOME_UNKNOWN"],
      [busy, "BACKEND_FAILED"],
      [fault, "OUTCOME_UNKNOWN"],
      [no, "BACKEND_REFUSED"],
      [odd, "BACKEND_FAILED"],
    ],
  }
  test.each(Object.keys(table) as Effect[])("of %s", (effect) => {
    for (const [tried, expected] of table[effect]) {
      const verdict = verdictOf(effect, tried, 1, limits, 0.5)
      expect([tried, verdict.kind === "fail" ? verdict.code : verdict.kind]).toEqual([tried, expected])
      if (verdict.kind === "again" && tried === busy) expect(verdict.waitMs).toBe(2_000)
      expect(verdictOf(effect, tried, attempts, limits, 0.5).kind).toBe("fail")
    }
  })

  test("over a real connection", async () => {
    const service = await Service.open(cut, json({}, 503, { "retry-after": "1" }), json({ ok: true }))
    const waits: number[] = []
    const ctx = toolContext({ sleep: async (ms) => void waits.push(ms) })
    expect(await charge(service).execute(INPUT, ctx)).toEqual({ ok: true })
    expect(waits).toEqual([150, 1_000])
    expect(new Set(service.seen.map((seen) => seen.headers["idempotency-key"])).size).toBe(1)
  })

  test("a once that was cut off is sent once", async () => {
    const service = await Service.open(cut)
    await expect(charge(service, { effect: "once" }).execute(INPUT, toolContext())).rejects.toMatchObject({
      code: "OUTCOME_UNKNOWN",
    })
    expect(service.seen).toHaveLength(1)
  })

  test("a once that never left is sent again, and nobody there is said so", async () => {
    const gone = await Service.open(json(1))
    await gone.close()
    const waits: number[] = []
    const ctx = toolContext({ sleep: async (ms) => void waits.push(ms) })
    await expect(charge(gone, { effect: "once" }).execute(INPUT, ctx)).rejects.toMatchObject({
      code: "BACKEND_FAILED",
      message: expect.stringMatching(/could not be reached \(ECONNREFUSED\). It was not carried out/),
    })
    expect(waits).toHaveLength(2)
  })
})

describe("bad answers", () => {
  const flood = (response: ServerResponse): void => {
    response.writeHead(200, { "content-type": "application/json" })
    const chunk = Buffer.alloc(1_048_576, "x")
    let left = 200
    const more = (): void => {
      while (left > 0) {
        left -= 1
        if (!response.write(chunk)) return void response.once("drain", more)
      }
      response.end()
    }
    more()
  }
  const slow = (response: ServerResponse): void => void response.writeHead(200).write("1")
  test.each<[string, (response: ServerResponse) => void, string, RegExp]>([
    ["200 MB", flood, "BACKEND_FAILED", /answered 200 with more than 4194304 bytes/],
    [
      "garbage",
      (r) => r.writeHead(200, { "content-type": "application/json" }).end("<html>"),
      "BACKEND_FAILED",
      /not JSON: <html>/,
    ],
    [
      "a refusal",
      json({ error: "no such order" }, 422),
      "BACKEND_REFUSED",
      /answered 422: \{"error":"no such order"\}. Correct the input/,
    ],
    [
      "a redirect elsewhere",
      (r) => r.writeHead(302, { location: "http://169.254.169.254/latest" }).end(),
      "BACKEND_REFUSED",
      /redirects to another origin/,
    ],
    [
      "redirects without end",
      (r) => r.writeHead(307, { location: "/again" }).end(),
      "BACKEND_REFUSED",
      /redirects more than 5 times/,
    ],
    ["silence", () => undefined, "BACKEND_FAILED", /took longer than 60 ms. It may or may not/],
    ["an answer that does not end", slow, "BACKEND_FAILED", /took longer than 60 ms/],
  ])("%s", async (name, answer, code, words) => {
    const service = await Service.open(answer)
    const made = charge(service, name === "silence" || name.includes("end") ? { timeout: 60 } : {})
    await expect(made.execute(INPUT, toolContext())).rejects.toMatchObject({
      code,
      message: expect.stringMatching(words),
    })
  })

  test("a redirect within the origin is followed, as a GET after a 303", async () => {
    const service = await Service.open((r) => r.writeHead(303, { location: "/charges/1" }).end(), json({ id: 1 }))
    expect(await charge(service).execute(INPUT, toolContext())).toEqual({ id: 1 })
    expect(service.seen.map((seen) => `${seen.method} ${seen.url}`)).toEqual([
      "POST /orders/o%201%2F2/charges",
      "GET /charges/1",
    ])
  })

  test("bytes are described, and text is text", async () => {
    const service = await Service.open(
      (r) => r.writeHead(200, { "content-type": "image/png" }).end(Buffer.alloc(10)),
      (r) => r.writeHead(200, { "content-type": "text/plain; charset=latin1" }).end(Buffer.from([0xe9])),
      (r) => r.writeHead(204).end(),
    )
    expect(await charge(service).execute(INPUT, toolContext())).toEqual({ contentType: "image/png", bytes: 10 })
    expect(await charge(service).execute(INPUT, toolContext())).toBe("é")
    expect(await charge(service).execute(INPUT, toolContext())).toBeNull()
  })

  test("an interrupt ends the request", async () => {
    const service = await Service.open(() => undefined)
    const abort = new AbortController()
    const made = charge(service).execute(INPUT, toolContext({}, abort.signal))
    await expect.poll(() => service.seen.length).toBe(1)
    abort.abort(new Error("enough"))
    await expect(made).rejects.toThrow("enough")
  })

  test("an answer that shows the secret back shows none", async () => {
    const service = await Service.open((r, seen) =>
      json({ you: seen.headers.authorization, pad: "x".repeat(980) }, 400)(r),
    )
    const made = charge(service, { auth: { basic: { user: "u", password: secret("PAY_KEY") } } })
    const error: unknown = await made
      .execute(INPUT, toolContext({ secrets: () => "pay-key-value" }))
      .catch((e: unknown) => e)
    expect(String(error)).toContain("[redacted]")
    expect(String(error)).not.toContain(btoa("u:pay-key-value").slice(4, 16))
  })
})

test.each([
  ["http://10.0.0.1/x", /is this machine or its network/],
  ["https://localhost/x", /is this machine/],
  ["https://metadata.internal/x", /is this machine/],
  ["http://example.com/x", /is not https/],
])("outside development %s is refused", async (url, words) => {
  const made = httpTool({ name: "x", description: "x", input: z.object({}), effect: "pure", url })
  const called = made.execute({}, toolContext({ isPrivateAllowed: false }))
  await expect(called).rejects.toMatchObject({ code: "ADDRESS_REFUSED", message: expect.stringMatching(words) })
})

test.each<[Options & { url?: string }, string]>([
  [{ url: "ftp://x/y" }, "url"],
  [{ url: "https://{order}/y" }, "url"],
  [{ url: "https://x.example/y?z={order}" }, "url"],
  [{ method: "TRACE" as "GET" }, "method"],
  [{ timeout: 0 }, "timeout"],
  [{ retry: { attempts: 11 } }, "retry.attempts"],
  [{ responseBytesMax: -1 }, "responseBytesMax"],
  [{ effect: "reconcilable" }, "reconcile"],
])("options %j are refused", (options, field) => {
  expect(() => charge({ url: "https://x.example" }, options)).toThrow(expect.objectContaining({ details: { field } }))
})

describe("signatures", () => {
  const base = (seen: { headers: Record<string, unknown>; method: string; url: string }, origin: string): string => {
    const params = String(seen.headers["signature-input"]).replace(/^sig1=/, "")
    const values: Record<string, unknown> = {
      ...seen.headers,
      "@method": seen.method,
      "@target-uri": origin + seen.url,
    }
    const names = [...params.slice(0, params.indexOf(")")).matchAll(/"([^"]+)"/g)].map(([, name]) => name ?? "")
    return [...names.map((name) => `"${name}": ${String(values[name])}`), `"@signature-params": ${params}`].join("\n")
  }
  const signature = (seen: { headers: Record<string, unknown> }): Buffer =>
    Buffer.from(String(seen.headers["signature"]).replace(/^sig1=:|:$/g, ""), "base64")

  test("HMAC, over the digest of the body and the key", async () => {
    const service = await Service.open(json(1))
    const sign = { keyId: "rouse", algorithm: "hmac-sha256", key: secret("SIGN_KEY") } as const
    await charge(service, { sign }).execute(INPUT, toolContext({ secrets: () => "a shared key" }))
    const [seen] = service.seen
    if (!seen) throw new Error("nothing came")
    expect(seen.headers["content-digest"]).toBe(`sha-256=:${createHash("sha256").update(seen.body).digest("base64")}:`)
    expect(seen.headers["signature-input"]).toContain(
      '"@method" "@target-uri" "content-digest" "content-type" "idempotency-key"',
    )
    expect(signature(seen)).toEqual(createHmac("sha256", "a shared key").update(base(seen, service.url)).digest())
  })

  test("Ed25519", async () => {
    const service = await Service.open(json(1))
    const { privateKey, publicKey } = generateKeyPairSync("ed25519")
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString()
    const sign = { keyId: "rouse", algorithm: "ed25519", key: secret("SIGN_KEY") } as const
    await charge(service, { sign }).execute(INPUT, toolContext({ secrets: () => pem }))
    const [seen] = service.seen
    if (!seen) throw new Error("nothing came")
    expect(verify(null, Buffer.from(base(seen, service.url)), publicKey, signature(seen))).toBe(true)
    const bad = charge(service, { sign }).execute(INPUT, toolContext({ secrets: () => "no key at all" }))
    await expect(bad).rejects.toMatchObject({ code: "SECRET_MISSING" })
  })
})

test("client credentials: one token for many calls, renewed when it ends and when it is refused", async () => {
  let count = 0
  const tokens = await Service.open((r) => json({ access_token: `token-number-${(count += 1)}`, expires_in: 3_600 })(r))
  const service = await Service.open(json(1), json(1), json(1), json({}, 401), json(1))
  let nowMs = 1_000_000
  const ctx = toolContext({ secrets: (name) => `${name}-value`, clock: () => nowMs })
  const oauth2 = clientCredentials({
    tokenUrl: `${tokens.url}/token`,
    clientId: "me",
    clientSecret: secret("OAUTH"),
    scopes: ["a", "b"],
  })
  const made = charge(service, { auth: { oauth2 }, effect: "once" })
  await Promise.all([made.execute(INPUT, ctx), made.execute(INPUT, ctx)])
  nowMs += 3_600_000
  await made.execute(INPUT, ctx)
  await made.execute(INPUT, ctx)
  expect(service.seen.map((seen) => seen.headers.authorization)).toEqual(
    [1, 1, 2, 2, 3].map((n) => `Bearer token-number-${n}`),
  )
  expect(tokens.seen[0]).toMatchObject({
    body: "grant_type=client_credentials&scope=a+b",
    headers: { authorization: `Basic ${btoa("me:OAUTH-value")}` },
  })
  expect(ctx.redact("token-number-2")).toBe("[redacted]")
})

describe("in the loop", () => {
  async function play(service: { readonly url: string }, options: Options) {
    const shop = defineEntity("shop", {
      async handler(ctx) {
        ctx.useAgent({ systemPrompt: "x", model: "m", tools: [charge(service, options)] })
        await ctx.agent.run()
      },
    })
    const rouse = createTestRouse({
      entities: [shop],
      models: { m: scriptedModel([{ calls: [{ tool: "charge", input: { order: "o1", cents: 5 } }] }, "done"]) },
    })
    await rouse.spawn("/shop/one")
    await rouse.ask("/shop/one", "go")
    return rouse.rows("/shop/one", "tool_call")[0]
  }

  test("once and cut off: the outcome is unknown", async () => {
    const service = await Service.open(cut)
    expect(await play(service, { effect: "once" })).toMatchObject({ status: "unknown", backend: "http" })
  })

  test("reconcilable and cut off after it happened: it is asked, and not sent again", async () => {
    const service = await Service.open(cut, json({ id: "c1" }))
    const reconcile = { url: `${service.url}/charges/{idempotencyKey}` }
    expect(await play(service, { effect: "reconcilable", reconcile })).toMatchObject({
      status: "done",
      output: { id: "c1" },
      resolved: "reconciled",
    })
    expect(service.seen.map((seen) => seen.method)).toEqual(["POST", "GET"])
  })

  test("reconcilable and cut off before it happened: it is sent again under the same key", async () => {
    const service = await Service.open(cut, json({}, 404), json([]), json({ id: "c2" }, 201))
    const reconcile = { url: `${service.url}/charges`, query: () => ({ key: "k" }) }
    expect(await play(service, { effect: "reconcilable", reconcile })).toMatchObject({
      status: "done",
      output: { id: "c2" },
    })
    const posts = service.seen.filter((seen) => seen.method === "POST")
    expect(posts).toHaveLength(2)
    expect(new Set(posts.map((seen) => seen.headers["idempotency-key"])).size).toBe(1)
  })

  test("reconcilable, cut off, and the service cannot say: the outcome is unknown", async () => {
    const service = await Service.open(cut, json({}, 500))
    const reconcile = { url: `${service.url}/charges` }
    expect(await play(service, { effect: "reconcilable", reconcile })).toMatchObject({ status: "unknown" })
    expect(service.seen.filter((seen) => seen.method === "POST")).toHaveLength(1)
  })

  test("a refusal is not tried again", async () => {
    const service = await Service.open(json({ error: "closed" }, 409))
    const reconcile = { url: `${service.url}/charges` }
    expect(await play(service, { effect: "reconcilable", reconcile })).toMatchObject({
      status: "failed",
      error: expect.stringContaining("closed"),
    })
    expect(service.seen).toHaveLength(1)
  })
})
