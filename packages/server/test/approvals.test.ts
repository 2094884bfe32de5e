import { defineEntity, tool } from "@rouse/agents"
import type { Approval } from "@rouse/agents"
import type { ApprovalPage, ApprovalRow, ApprovalRule, EntitySummary, Settled, ToolCallRow } from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { enforcePolicy } from "../src/approval/enforce.ts"
import { voted } from "../src/approval/votes.ts"
import type { EntityDraft } from "../src/core/draft.ts"
import { adminToken } from "../src/http/tokens.ts"
import type { Plane } from "../src/plane.ts"
import { Harness, type HarnessOptions, type Refusal } from "./harness.ts"

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

const PEOPLE = ["anna", "ben", "cleo"]
const tokens = PEOPLE.map((name) => adminToken(name, name.padEnd(16, "x")))
const as = (name: string) => ({ authorization: `Bearer ${name.padEnd(16, "x")}` })

function payer(approval: Approval<{ cents: number }>, approvals?: readonly ApprovalRule[]) {
  const pay = tool({
    name: "pay",
    description: "Pays",
    input: z.object({ cents: z.number().int() }),
    effect: "idempotent",
    approval,
    execute: ({ cents }) => `paid ${cents}`,
  })
  return defineEntity("payer", {
    ...(approvals ? { approvals } : {}),
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Pay.", model: "rouse/echo", tools: [pay] })
      await ctx.agent.run()
    },
  })
}

const A = "/payer/a"

class Scene {
  readonly harness: Harness
  constructor(harness: Harness) {
    this.harness = harness
  }

  /** Asks as anna, and goes on when the agent sleeps or has answered. */
  async ask(content = `/call pay {"cents":500}`): Promise<{ readonly asked: Promise<Settled> }> {
    await this.harness.call("PUT", `/v1/entities${A}`, {}, as("anna"))
    const path = `/v1/entities${A}/messages?wait=20s`
    let over = false
    const asked = this.harness.call<Settled>("POST", path, { content }, as("anna")).then(({ body }) => {
      over = true
      return body
    })
    const rest = async () => {
      const { body } = await this.harness.call<EntitySummary>("GET", `/v1/entities${A}`, undefined, as("anna"))
      return over || body.status === "suspended"
    }
    await this.harness.until(rest, "at rest")
    return { asked }
  }

  async rows<T>(collection: string): Promise<readonly T[]> {
    const path = `/v1/entities${A}/state/${collection}`
    const { body } = await this.harness.call<{ rows: { value: T }[] }>("GET", path, undefined, as("anna"))
    return body.rows.map(({ value }) => value)
  }

  async approval(): Promise<ApprovalRow> {
    const row = (await this.rows<ApprovalRow>("approval")).at(-1)
    if (!row) throw new Error("nobody was asked")
    return row
  }

  async call(): Promise<ToolCallRow> {
    return (await this.rows<ToolCallRow>("tool_call")).at(-1) as ToolCallRow
  }

  async decide(who: string, body: object): Promise<Refusal> {
    const { call } = await this.approval()
    return this.harness.call("POST", `/v1/entities${A}/approvals/${call}`, body, as(who))
  }

  async waiting(query = ""): Promise<ApprovalPage["approvals"]> {
    const { body } = await this.harness.call<ApprovalPage>("GET", `/v1/approvals${query}`, undefined, as("anna"))
    return body.approvals
  }
}

async function sceneOf(options: HarnessOptions): Promise<Scene> {
  const harness = await Harness.open({ tokens, ...options })
  open.push(harness)
  return new Scene(harness)
}

test("a quorum: different people must allow it; the same one counts once, one who denies denies", async () => {
  const scene = await sceneOf({ entities: [payer({ quorum: 2, from: ["anna", "ben"] })] })
  const { asked } = await scene.ask()
  expect((await scene.decide("cleo", { decision: "allow" })).body.code).toBe("FORBIDDEN")
  expect((await scene.decide("anna", { decision: "allow", note: "fine" })).status).toBe(202)
  expect((await scene.decide("anna", { decision: "allow" })).status).toBe(202)
  expect(await scene.approval()).toMatchObject({ status: "waiting", votes: [{ by: { id: "anna" }, note: "fine" }] })
  expect(await scene.waiting("?for=cleo")).toEqual([])
  expect(await scene.waiting("?for=ben&type=payer&tool=pay")).toHaveLength(1)
  await scene.decide("ben", { decision: "allow" })
  expect((await asked).status).toBe("processed")
  expect(await scene.approval()).toMatchObject({ status: "allowed", by: { kind: "user", id: "ben" }, votes: [{}, {}] })
  expect((await scene.call()).status).toBe("done")
  expect((await scene.decide("ben", { decision: "deny" })).body.code).toBe("ALREADY_EXISTS")

  const again = await scene.ask()
  await scene.decide("anna", { decision: "allow" })
  await scene.decide("ben", { decision: "deny", note: "not twice" })
  await again.asked
  expect(await scene.call()).toMatchObject({ status: "denied", error: "not twice" })
})

test("an edit runs instead, is checked by the tool's schema, and is a new question to those who had allowed", async () => {
  const scene = await sceneOf({ entities: [payer({ quorum: 2 })] })
  const { asked } = await scene.ask()
  await scene.decide("anna", { decision: "allow" })
  expect((await scene.decide("ben", { decision: "allow", input: { cents: "all" } })).body.code).toBe("INVALID_ARGS")
  expect((await scene.decide("ben", { decision: "deny", input: { cents: 1 } })).body.code).toBe("INVALID_ARGS")
  await scene.decide("ben", { decision: "allow", input: { cents: 100 } })
  expect((await scene.approval()).status).toBe("waiting")
  await scene.decide("anna", { decision: "allow" })
  await asked
  expect(await scene.approval()).toMatchObject({ status: "allowed", input: { cents: 500 }, edited: { cents: 100 } })
  expect(await scene.call()).toMatchObject({ input: { cents: 500 }, edited: { cents: 100 }, output: "paid 100" })
})

test("a deadline: others are asked, and then it is denied and the model told", async () => {
  const scene = await sceneOf({ entities: [payer({ deadlineMs: 300, from: ["anna"], escalateTo: ["cleo"] })] })
  const { asked } = await scene.ask()
  await scene.harness.until(async () => (await scene.approval()).escalatedAt !== undefined, "escalated")
  expect((await scene.decide("anna", { decision: "allow" })).body.code).toBe("FORBIDDEN")
  expect((await asked).status).toBe("processed")
  expect(await scene.approval()).toMatchObject({ status: "expired", from: ["cleo"] })
  expect(await scene.call()).toMatchObject({ status: "denied", error: "nobody decided in time" })
  expect(await scene.waiting()).toEqual([])
  expect((await scene.decide("cleo", { decision: "allow" })).body.code).toBe("ALREADY_EXISTS")

  const decided = await scene.ask()
  await scene.decide("anna", { decision: "allow" })
  expect((await decided.asked).status).toBe("processed")
  expect((await scene.call()).status).toBe("done")
})

const OVER: ApprovalRule = {
  name: "over 10",
  tool: "p*",
  amount: { path: "cents", over: 1_000 },
  require: { quorum: 2 },
}

test("a policy: of the type or of the server, by amount, whatever the tool says itself", async () => {
  for (const options of [{ entities: [payer(false, [OVER])] }, { entities: [payer(false)], policy: [OVER] }]) {
    const scene = await sceneOf(options)
    expect((await (await scene.ask()).asked).status).toBe("processed")
    expect(await scene.rows("approval")).toEqual([])
    const { asked } = await scene.ask(`/call pay {"cents":1001}`)
    expect(await scene.approval()).toMatchObject({ status: "waiting", rule: "over 10", quorum: 2 })
    await scene.decide("anna", { decision: "allow" })
    await scene.decide("ben", { decision: "allow" })
    await asked
    expect((await scene.call()).status).toBe("done")
  }
})

test("a handler that begins a call without the approval that the server's policy asks for is refused", async () => {
  const scene = await sceneOf({ entities: [payer(false)], policy: [{ name: "later", tool: "pay", require: {} }] })
  const { asked } = await scene.ask()
  const held = (await scene.call()).id
  // As a handler would that does not know the rule: it begins the call that waits.
  await scene.harness.call("POST", `/v1/entities${A}/messages`, { content: "more" }, as("anna"))
  expect((await scene.call()).status).toBe("waiting")
  const policy = [{ name: "later", tool: "pay", require: {} }] as const
  const plane = { policy, transactor: { row: async () => undefined } } as unknown as Plane
  const self = { url: A, record: { type: "payer", tags: {} }, control: { run: null } } as unknown as EntityDraft
  const event = (status: ToolCallRow["status"]) => {
    const value = { id: held, name: "pay", effect: "idempotent", input: {}, status }
    return { type: "tool_call", key: held, value, headers: { operation: "update" } } as const
  }
  await expect(enforcePolicy(plane, self, { seq: 1, events: [event("running")] })).rejects.toThrow(
    /without the approval/,
  )
  await expect(enforcePolicy(plane, self, { seq: 1, events: [event("waiting")] })).resolves.toBeUndefined()
  const work = [{ call: held, queue: "default" }]
  await expect(enforcePolicy(plane, self, { seq: 1, events: [event("waiting")], work })).rejects.toThrow(/later/)
  await scene.decide("anna", { decision: "deny" })
  await asked
})

test("nobody but a person decides", () => {
  const row: ApprovalRow = { call: "c", tool: "pay", input: {}, at: "", status: "waiting" }
  for (const kind of ["agent", "schedule", "system"] as const) {
    expect(() => voted(row, { decision: "allow", by: { kind, id: "/payer/a" } }, 0)).toThrow(/cannot decide/)
  }
})

test("the list is paged, oldest first, over all agents, and follows what ends", async () => {
  const scene = await sceneOf({ entities: [payer(true)], tokens: [] })
  const { harness } = scene
  const urls = Array.from({ length: 7 }, (_, n) => `/payer/p${n}`)
  for (const url of urls) {
    await harness.spawn(url, { message: `/call pay {"cents":1}` })
  }
  const all = async () => {
    const found: string[] = []
    let after = ""
    do {
      const { body } = await harness.call<ApprovalPage>("GET", `/v1/approvals?limit=3${after}`)
      found.push(...body.approvals.map(({ entity }) => entity))
      after = body.next === undefined ? "" : `&after=${encodeURIComponent(body.next)}`
    } while (after !== "")
    return found
  }
  await harness.until(async () => (await all()).length === 7, "all wait")
  expect(new Set(await all())).toEqual(new Set(urls))
  await harness.call("POST", "/v1/entities/payer/p3/signals", { signal: "interrupt" })
  await harness.call("DELETE", "/v1/entities/payer/p4?purge=true")
  expect(new Set(await all())).toEqual(new Set(urls.filter((url) => !/p[34]$/.test(url))))
  expect((await harness.call<Refusal["body"]>("GET", "/v1/approvals?limit=0")).status).toBe(422)
  expect((await harness.call<Refusal["body"]>("GET", "/v1/approvals?after=x")).status).toBe(400)
})
