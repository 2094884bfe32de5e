import { createHmac } from "node:crypto"
import { defineEntity, humanTool, tool, workerTool } from "@rouse/agents"
import type { ApprovalPage, AttachmentInfo, EntitySummary, ToolClaims, WakeDelivery } from "@rouse/protocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { z } from "zod"
import { OPERATIONS } from "../src/http/operations/operations.ts"
import { Harness } from "./harness.ts"
import { seen } from "./support/conformance.ts"
import { Network } from "./support/remote.ts"

/**
 * Every operation, done once and refused once. That its answers are what the document says is looked at wherever a server is asked (see
 * `conformance.ts`); here it is made sure that none is left out.
 */

const URL = "http://127.0.0.1:1/agents"
const SECRET = "a secret of thirty-two bytes ...."
const empty = { description: "x", input: z.object({}) }
const build = workerTool({ name: "build", ...empty, effect: "pure", retry: { attempts: 2 } })
const risky = tool({ name: "risky", ...empty, effect: "once", approval: true, execute: () => "done" })
const question = humanTool({ name: "question", description: "Asks", answer: z.object({ size: z.number() }) })
const failing = defineEntity("failing", {
  attempts: 1,
  handler() {
    throw new Error("it broke")
  },
})
const helper = defineEntity("helper", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "Help.", model: "rouse/echo", tools: [build, risky, question] })
    await ctx.agent.run()
  },
})
const remote = defineEntity("remote", { handler: (ctx) => ctx.reply("ok") })

let harness: Harness
const network = new Network()
beforeAll(async () => {
  harness = await Harness.open({
    entities: [failing, helper],
    endpoints: network.webhooks,
    webhooks: true,
    env: { GH: SECRET, HOOK: `whsec_${Buffer.from(SECRET).toString("base64")}` },
  })
  network.serve(URL, () => harness, { entities: [remote], version: "v1" })
})
afterAll(() => harness.close())

const A = "/v1/entities/helper/a"

async function ok<T = unknown>(method: string, path: string, body?: unknown, headers = {}): Promise<T> {
  const answer = await harness.call<T>(method, path, body, headers)
  expect({ path, ...answer }).toMatchObject({ status: expect.toBeOneOf([200, 201, 202, 204]) })
  return answer.body
}

async function raw(method: string, path: string, body?: string, headers = {}): Promise<Response> {
  const init = { method, headers: { host: "localhost", ...headers }, ...(body === undefined ? {} : { body }) }
  return harness.server.fetch(new Request(`http://localhost${path}`, init))
}

async function status(path: string, wanted: string): Promise<void> {
  await harness.until(async () => (await ok<EntitySummary>("GET", path)).status === wanted, `${path} ${wanted}`)
}

test("entities", async () => {
  for (const path of ["/healthz", "/readyz", "/v1/info", "/v1/openapi.json"]) await ok("GET", path)
  await ok("PUT", A, { message: "hi", tags: { team: "x" }, budget: { usd: 5 } })
  await ok(
    "PUT",
    `${A}?wait=20s`,
    { message: "hi", tags: { team: "x" }, budget: { usd: 5 } },
    { "idempotency-key": "k" },
  )
  await ok("POST", `${A}/messages?wait=20s`, { content: "hello" })
  await ok("POST", `${A}/messages`, { content: "later", afterMs: 3_600_000 }, { "idempotency-key": "m" })
  await (await raw("POST", `${A}/messages`, '{"content":"x"}', { accept: "text/event-stream" })).text()
  await ok("GET", "/v1/entities?type=helper&tag=team%3Dx&limit=5")
  await ok("GET", A)
  await ok("GET", `${A}/state`)
  await ok("GET", `${A}/state/message?history=true`)
  await ok("POST", `${A}/tags`, { tags: { team: null, other: "y" } })
  await ok("POST", `${A}/schedules`, { name: "daily", cron: "0 9 * * *", message: "x" })
  await ok("GET", `${A}/schedules`)
  await ok("DELETE", `${A}/schedules/daily`)
  await ok("POST", `${A}/observations`, { name: "o", source: { type: "failing" } })
  await ok("GET", `${A}/observations`)
  await ok("DELETE", `${A}/observations/o`)
  await ok("POST", `${A}/fork`, { id: "fork" })
  await ok("POST", `${A}/signals`, { signal: "pause" })
  await ok("POST", `${A}/signals`, { signal: "resume" })
  await ok("GET", `${A}/log?limit=5`)
  await ok("GET", "/v1/schedules?limit=5")
  await ok("GET", "/v1/keys")
  await ok("GET", "/v1/usage?by=model&times=true")
  const bundle = await (await raw("GET", "/v1/entities/helper/fork/export")).text()
  expect((await raw("POST", "/v1/import?as=/helper/copy", bundle)).status).toBe(201)
  await ok("DELETE", "/v1/entities/helper/fork?purge=true")
  expect((await harness.call("GET", "/v1/entities/helper/fork")).status).toBe(410)
})

test("dead letters", async () => {
  const path = "/v1/entities/failing/a"
  await ok("PUT", path, { message: "x" })
  await status(path, "dead")
  await ok("GET", "/v1/dead-letters")
  await ok("POST", `${path}/retry`, {})
  await status(path, "dead")
  await ok("POST", `${path}/discard`, {})
})

test("files", async () => {
  const response = await raw("POST", `${A}/attachments?name=a.txt`, "hello", { "content-type": "text/plain" })
  const { id } = (await response.json()) as AttachmentInfo
  await ok("GET", `${A}/attachments?limit=5`)
  expect(await (await raw("GET", `${A}/attachments/${id}`)).text()).toBe("hello")
  expect((await raw("GET", `${A}/attachments/${id}`, undefined, { range: "bytes=1-2" })).status).toBe(206)
  expect((await raw("GET", `${A}/attachments/${id}`, undefined, { "if-none-match": `"${id}"` })).status).toBe(304)
  expect((await raw("HEAD", `${A}/attachments/${id}`)).status).toBe(200)
  await ok("DELETE", `${A}/attachments/${id}`)
})

test("people", async () => {
  const path = "/v1/entities/helper/people"
  await ok("PUT", path, { message: "/call risky {}" })
  await status(path, "suspended")
  const { approvals } = await ok<ApprovalPage>("GET", "/v1/approvals?tool=risky")
  await ok("POST", `${path}/approvals/${approvals[0]?.approval.call}`, { decision: "allow", note: "fine" })
  await status(path, "idle")
  await ok("POST", `${path}/messages`, { content: '/call question {"question":"How big?"}' })
  await status(path, "suspended")
  const [asked] = (await ok<ApprovalPage>("GET", "/v1/approvals?tool=question")).approvals
  await ok("POST", `${path}/approvals/${asked?.approval.call}`, { answer: { size: 1 } })
})

test("tool workers", async () => {
  const claim = async (id: string) => {
    await ok("PUT", `/v1/entities/helper/${id}`, { message: "/call build {}" })
    const body = { worker: "w", tools: { build: 1 }, capacity: 1, waitMs: 20_000 }
    const [one] = (await ok<ToolClaims>("POST", "/v1/tool-claims", body)).claims
    if (!one) throw new Error("nothing was claimed")
    return (verb: string, more: object = {}) =>
      ok("POST", `/v1/tool-calls${one.entity}/${one.call}/${verb}`, { claim: one.claim, ...more })
  }
  const first = await claim("w1")
  await first("heartbeat")
  await first("progress", { fraction: 0.5, message: "half" })
  await first("result", { output: { size: 1 } })
  await (
    await claim("w2")
  )("fail", { error: "no", retryable: false })
  await (
    await claim("w3")
  )("release", { begun: false })
})

test("types, and handlers elsewhere", async () => {
  await ok("POST", "/v1/types", { url: URL })
  await ok("GET", "/v1/types")
  await ok("GET", "/.well-known/jwks.json")
  await ok("PUT", "/v1/types/puller", { dispatch: { kind: "pull" }, version: "1", collections: ["notes"] })
  await ok("PUT", "/v1/types/puller/routing", { kind: "pin", version: "1" })
  await ok("GET", "/v1/types/puller")
  const next = async (id: string) => {
    await ok("PUT", `/v1/entities/puller/${id}`, { message: "x" })
    const body = { worker: "w", types: [{ name: "puller", version: "1" }], capacity: 1, waitMs: 20_000 }
    const [one] = (await ok<{ claims: WakeDelivery[] }>("POST", "/v1/claims", body)).claims
    return { authorization: `Bearer ${one?.claim}` }
  }
  const claim = await next("a")
  await ok("POST", "/v1/claims/renew", {}, claim)
  await ok("POST", "/v1/claims/shared", { kind: "open", space: "s", definition: board }, claim)
  const at = "/v1/claims/attachments"
  const { id } = (await (await raw("POST", `${at}?name=a.txt`, "hello", claim)).json()) as AttachmentInfo
  await ok("GET", at, undefined, claim)
  await ok("GET", `${at}/${id}/info`, undefined, claim)
  expect(await (await raw("GET", `${at}/${id}`, undefined, claim)).text()).toBe("hello")
  const part = await raw("GET", `${at}/${id}`, undefined, { ...claim, range: "bytes=1-2" })
  expect(part.headers.get("content-range")).toBe("bytes 1-2/5")
  await ok("POST", "/v1/commits", { seq: 1, events: [], finish: { kind: "completed", reply: "ok" } }, claim)
  await ok("POST", "/v1/claims/end", { kind: "released" }, await next("b"))
  await ok("PUT", "/v1/types/puller", { dispatch: { kind: "pull" }, version: "2" })
  await ok("PUT", "/v1/types/puller/routing", { kind: "latest" })
  await ok("DELETE", "/v1/types/puller/versions/1")
  await ok("DELETE", "/v1/types/remote")
})

const board = { collections: { tasks: { schema: { type: "object" }, key: "id", indexes: [["kind"]] } } }

test("shared spaces", async () => {
  const SPACE = "/v1/shared/board"
  await ok("PUT", SPACE, board)
  await ok(
    "POST",
    `${SPACE}/tasks`,
    { ops: [{ op: "insert", value: { id: "a", kind: "bug" } }] },
    { "idempotency-key": "s" },
  )
  await ok("POST", `${SPACE}/claims`, { collection: "tasks", where: { kind: "bug" } })
  await ok("GET", `${SPACE}/tasks?where=${encodeURIComponent('{"kind":"bug"}')}`)
  await ok("GET", `${SPACE}/tasks/a`)
  await ok("GET", SPACE)
  await ok("GET", "/v1/shared?limit=5")
  await ok("DELETE", SPACE)
})

test("webhooks in, events out", async () => {
  await ok("PUT", "/v1/webhook-sources/gh", {
    kind: "github",
    secrets: ["GH"],
    to: [{ type: "helper", id: "gh-{body.n}" }],
  })
  const body = JSON.stringify({ n: 7 })
  const signature = `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`
  const headers = { "x-github-event": "issues", "x-github-delivery": "1", "x-hub-signature-256": signature }
  await ok("POST", "/v1/webhooks/gh", body, { "content-type": "application/json", ...headers })
  await ok("POST", "/v1/webhooks/gh", body, { "content-type": "application/json", ...headers })
  await ok("GET", "/v1/webhook-sources")
  await ok("GET", "/v1/webhook-sources/gh")
  await ok("DELETE", "/v1/webhook-sources/gh")
  await ok("PUT", "/v1/event-subscriptions/out", { url: "http://127.0.0.1:9/in", secret: "HOOK", types: ["none"] })
  await ok("GET", "/v1/event-subscriptions")
  await ok("GET", "/v1/event-subscriptions/out")
  await ok("DELETE", "/v1/event-subscriptions/out")
})

test("streams, and OpenAI's clients", async () => {
  const headers = { "content-type": "text/plain" }
  expect((await raw("PUT", "/v1/stream/app/log", undefined, headers)).status).toBe(201)
  expect((await raw("POST", "/v1/stream/app/log", "x", headers)).ok).toBe(true)
  expect((await raw("GET", "/v1/stream/app/log")).status).toBe(200)
  expect((await raw("HEAD", "/v1/stream/app/log")).status).toBe(200)
  expect((await raw("DELETE", "/v1/stream/app/log")).status).toBe(204)
  await ok("GET", "/openai/v1/models")
  await ok("GET", "/openai/v1/models/helper")
  const asked = { model: "helper", messages: [{ role: "user", content: "hi" }] }
  await ok("POST", "/openai/v1/chat/completions", asked)
  await ok("GET", "/a2a/helper/.well-known/agent-card.json")
  const message = { messageId: "m1", role: "ROLE_USER", parts: [{ text: "hi" }] }
  await ok("POST", "/a2a/helper", { jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } })
  await (await raw("POST", "/openai/v1/chat/completions", JSON.stringify({ ...asked, stream: true }))).text()
})

test("every operation that can be refused says so as its document does", async () => {
  for (const { id, method, path, proof = "token" } of OPERATIONS) {
    const text = path.replace(/\{\w+\}/g, "nothing-here")
    const answer = await raw(
      method.toUpperCase(),
      `${text}?nonsense=1`,
      /get|head|delete/.test(method) ? undefined : "{",
    )
    if (proof === "claim") expect(answer.status, id).toBe(401)
    await answer.body?.cancel()
  }
})

test("none was left out", () => {
  const done = OPERATIONS.filter(({ id }) => [...(seen.get(id) ?? [])].some((one) => one < 300)).map(({ id }) => id)
  expect(done).toEqual(OPERATIONS.map(({ id }) => id))
})
