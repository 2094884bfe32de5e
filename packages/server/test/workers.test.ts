import { defineEntity, humanTool, tool, workerTool } from "@rouse/agents"
import type {
  ApprovalPage,
  Effect,
  EntitySummary,
  Json,
  MessageRow,
  Settled,
  ToolCallRow,
  ToolClaim,
  ToolClaims,
  ToolSettled,
  ToolWorkRow,
} from "@rouse/protocol"
import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { adminToken } from "../src/http/tokens.ts"
import { Harness, type HarnessOptions, type Refusal } from "./harness.ts"

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function harnessOf(options: HarnessOptions): Promise<Harness> {
  const harness = await Harness.open(options)
  open.push(harness)
  return harness
}

type Options = Partial<Parameters<typeof workerTool>[0]>

/** An agent with one worker tool of each effect class, and one of its own kind beside them. */
function builder(options: Options = {}) {
  const made = (effect: Effect) =>
    workerTool({
      name: `build_${effect}`,
      description: "Builds",
      input: z.object({ ref: z.string() }),
      output: z.object({ size: z.number() }),
      effect,
      heartbeat: 1_000,
      ...options,
      ...(options.retry && effect === "once" ? { retry: { attempts: 1 } } : {}),
    })
  const effects: readonly Effect[] = ["pure", "idempotent", "reconcilable", "once"]
  const look = tool({ name: "look", description: "Looks", input: z.object({}), effect: "pure", execute: () => "seen" })
  return defineEntity("builder", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Build.", model: "rouse/echo", tools: [...effects.map(made), look] })
      await ctx.agent.run()
    },
  })
}

const A = "/builder/a"
const statusOf = async (harness: Harness, url: string) =>
  (await harness.call<EntitySummary>("GET", `/v1/entities${url}`)).body.status

/** Sends, and waits until the agent sleeps over it. */
async function asleep(harness: Harness, content: string, url = A): Promise<{ readonly asked: Promise<Settled> }> {
  await harness.spawn(url)
  const asked = harness.ask(url, content)
  await harness.until(async () => (await statusOf(harness, url)) === "suspended", "suspended")
  return { asked }
}

async function claims(harness: Harness, body: object = {}): Promise<readonly ToolClaim[]> {
  const tools = { build_pure: 9, build_idempotent: 9, build_reconcilable: 9, build_once: 9 }
  const answer = await harness.call<ToolClaims>("POST", "/v1/tool-claims", {
    worker: "w1",
    tools,
    capacity: 9,
    waitMs: 5_000,
    ...body,
  })
  expect(answer.status).toBe(200)
  return answer.body.claims
}

async function claimOne(harness: Harness, body: object = {}): Promise<ToolClaim> {
  const [claim] = await claims(harness, body)
  if (!claim) throw new Error("nothing was claimed")
  return claim
}

function say<T = ToolSettled>(harness: Harness, claim: ToolClaim, verb: string, body: object = {}) {
  const path = `/v1/tool-calls${claim.entity}/${claim.call}/${verb}`
  return harness.call<T>("POST", path, { claim: claim.claim, ...body })
}

async function callOf(harness: Harness, url = A): Promise<ToolCallRow> {
  const row = (await harness.rows<ToolCallRow>(url, "tool_call")).at(-1)
  if (!row) throw new Error("there is no call")
  return row.value
}

describe("a call with a worker", () => {
  test("waits in the queue while its agent sleeps, and its result rouses the agent", async () => {
    const harness = await harnessOf({ entities: [builder()] })
    const { asked } = await asleep(harness, `/call build_pure {"ref":"main"}\n/then\n/say built`)
    expect(harness.server.activeWakes).toBe(0)
    const claim = await claimOne(harness)
    expect(claim).toMatchObject({ entity: A, tool: "build_pure", input: { ref: "main" }, attempt: 1, reconcile: false })
    expect(await claims(harness, { waitMs: 0 })).toEqual([])
    const [work] = await harness.rows<ToolWorkRow>(A, "tool_work")
    expect(work?.value).toMatchObject({ status: "claimed", worker: "w1", attempt: 1 })
    expect((await say(harness, claim, "result", { output: { size: 7 } })).body).toEqual({
      status: "done",
      applied: true,
    })
    expect(await asked).toMatchObject({ status: "processed", reply: "built" })
    expect(await callOf(harness)).toMatchObject({
      status: "done",
      backend: "worker",
      output: { size: 7 },
      attempts: 1,
      worker: { name: "w1" },
      startedAt: expect.any(String) as string,
      endedAt: expect.any(String) as string,
    })
    expect(await harness.rows(A, "tool_work")).toEqual([])
    // Again, and late: it changes nothing, and is told so.
    expect((await say(harness, claim, "result", { output: { size: 7 } })).body).toEqual({
      status: "done",
      applied: false,
    })
    expect((await say<Refusal["body"]>(harness, claim, "heartbeat")).body.code).toBe("FENCED")
    const results = (await harness.rows<MessageRow>(A, "message")).filter(({ value }) => value.kind === "toolResult")
    expect(results).toHaveLength(1)
  })

  test("is taken the moment it is there by a worker that waits", async () => {
    const harness = await harnessOf({ entities: [builder()] })
    const waiting = claimOne(harness, { waitMs: 20_000 })
    const { asked } = await asleep(harness, `/call build_pure {"ref":"main"}`)
    await say(harness, await waiting, "result", { output: { size: 1 } })
    expect((await asked).status).toBe("processed")
  })

  test("several of one step rouse the agent once, when all have ended", async () => {
    const harness = await harnessOf({ entities: [builder()] })
    const calls = ["a", "b", "c"].map((ref) => `/call build_pure {"ref":"${ref}"}`).join("\n")
    const { asked } = await asleep(harness, `${calls}\n/call look\n/then\n/say all`)
    const held = await claims(harness)
    expect(held).toHaveLength(3)
    for (const [index, claim] of held.entries()) {
      expect(await statusOf(harness, A)).toBe("suspended")
      await say(harness, claim, "result", { output: { size: index } })
    }
    expect(await asked).toMatchObject({ status: "processed", reply: "all" })
    const results = (await harness.rows<MessageRow>(A, "message")).filter(({ value }) => value.kind === "toolResult")
    expect(results).toHaveLength(1)
  })

  test("says how far it is on the log, once a second at most, and lives by it", async () => {
    const harness = await harnessOf({ entities: [builder()] })
    const { asked } = await asleep(harness, `/call build_once {"ref":"main"}`)
    const claim = await claimOne(harness)
    expect((await say<Json>(harness, claim, "progress", { message: "compiling", fraction: 0.5 })).body).toMatchObject({
      kept: true,
    })
    expect((await say<Json>(harness, claim, "progress", { fraction: 0.6 })).body).toMatchObject({ kept: false })
    const [work] = await harness.rows<ToolWorkRow>(A, "tool_work")
    expect(work?.value.progress).toMatchObject({ message: "compiling", fraction: 0.5 })
    for (let beat = 0; beat < 6; beat++) {
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect((await say(harness, claim, "heartbeat")).status).toBe(200)
    }
    await say(harness, claim, "result", { output: { size: 1 } })
    expect((await asked).status).toBe("processed")
    expect((await callOf(harness)).status).toBe("done")
  })

  test.each([
    ["pure", "again"],
    ["idempotent", "again"],
    ["reconcilable", "reconcile"],
    ["once", "unknown"],
  ] as const)("%s: a worker that claims it and vanishes: %s", async (effect, then) => {
    const harness = await harnessOf({ entities: [builder()] })
    const { asked } = await asleep(harness, `/call build_${effect} {"ref":"main"}`)
    const lost = await claimOne(harness)
    if (then === "unknown") {
      expect((await asked).status).toBe("processed")
      expect(await callOf(harness)).toMatchObject({ status: "unknown", attempts: 1, resolved: "unknown" })
    } else {
      const next = await claimOne(harness, { worker: "w2" })
      expect(next).toMatchObject({ attempt: 2, reconcile: then === "reconcile", idempotencyKey: lost.idempotencyKey })
      expect(next.claim).not.toBe(lost.claim)
      expect((await say<Refusal["body"]>(harness, lost, "result", { output: { size: 0 } })).body.code).toBe("FENCED")
      await say(harness, next, "result", { output: { size: 2 }, ...(then === "reconcile" ? { reconciled: true } : {}) })
      expect((await asked).status).toBe("processed")
      expect(await callOf(harness)).toMatchObject({
        status: "done",
        output: { size: 2 },
        attempts: 2,
        worker: { name: "w2" },
      })
    }
    const late = await say<Refusal["body"]>(harness, lost, "result", { output: { size: 9 } })
    expect([late.status, late.body.code]).toEqual([409, "FENCED"])
  })

  test("that fails is tried again as its tool says, after a pause, and then the model is told", async () => {
    const harness = await harnessOf({ entities: [builder({ retry: { attempts: 2, delayMs: 20 } })] })
    const { asked } = await asleep(harness, `/call build_pure {"ref":"main"}`)
    expect((await say(harness, await claimOne(harness), "fail", { error: "no disk" })).body.status).toBe("queued")
    const second = await claimOne(harness)
    expect(second.attempt).toBe(2)
    expect((await say(harness, second, "fail", { error: "still none" })).body.status).toBe("failed")
    await asked
    expect(await callOf(harness)).toMatchObject({ status: "failed", error: "still none", attempts: 2 })
  })

  test("that nobody takes, or that takes too long, ends", async () => {
    const harness = await harnessOf({ entities: [builder({ expires: 50, timeout: 100 })] })
    await (
      await asleep(harness, `/call build_pure {"ref":"main"}`, "/builder/b")
    ).asked
    expect(await callOf(harness, "/builder/b")).toMatchObject({ status: "failed", error: "no worker took it in time" })
    const two = await harnessOf({ entities: [builder({ timeout: 100 })] })
    const { asked } = await asleep(two, `/call build_pure {"ref":"main"}`)
    const claim = await claimOne(two)
    expect(claim.timeoutMs).toBe(100)
    await asked
    expect(await callOf(two)).toMatchObject({ status: "failed", error: expect.stringContaining("100 ms") as string })
    expect((await say<Refusal["body"]>(two, claim, "heartbeat")).body.code).toBe("FENCED")
  })

  test.each(["interrupt", "kill"])("%s of its agent reaches the worker", async (signal) => {
    const harness = await harnessOf({ entities: [builder()] })
    const { asked } = await asleep(
      harness,
      `/call build_pure {"ref":"a"}\n/call build_once {"ref":"b"}\n/call build_pure {"ref":"c"}`,
    )
    const held = await claims(harness, { capacity: 2 })
    await harness.call("POST", `/v1/entities${A}/signals`, { signal })
    expect((await asked).status).toBe("cancelled")
    for (const claim of held) {
      const answer = await say<Refusal["body"]>(harness, claim, "heartbeat")
      expect([answer.status, answer.body.code]).toEqual([409, "INTERRUPTED"])
      expect((await say<Refusal["body"]>(harness, claim, "result", { output: { size: 1 } })).body.code).toBe(
        "INTERRUPTED",
      )
    }
    expect(await claims(harness, { waitMs: 0 })).toEqual([])
    const rows = await harness.rows<ToolCallRow>(A, "tool_call")
    expect(rows.map(({ value }) => value.status).sort()).toEqual(["cancelled", "cancelled", "unknown"])
    expect(await harness.rows(A, "tool_work")).toEqual([])
  })

  test("is given back by a worker that shuts down: begun by effect class, not begun at once", async () => {
    const harness = await harnessOf({ entities: [builder()] })
    const { asked } = await asleep(harness, `/call build_once {"ref":"a"}`)
    expect((await say(harness, await claimOne(harness), "release", { begun: false })).body.status).toBe("queued")
    expect((await say(harness, await claimOne(harness), "release", { begun: true })).body.status).toBe("unknown")
    await asked
    expect((await callOf(harness)).status).toBe("unknown")
  })

  test("survives the server: a claim that holds is answered by the next one, and is not lost while none ran", async () => {
    const first = await Harness.open({ entities: [builder()] })
    await first.spawn(A)
    await first.call("POST", `/v1/entities${A}/messages`, { content: `/call build_once {"ref":"a"}` })
    await first.until(async () => (await statusOf(first, A)) === "suspended", "suspended")
    const claim = await claimOne(first)
    await first.stop()
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    const second = await harnessOf({ entities: [builder()], store: first.store })
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect((await say(second, claim, "heartbeat")).status).toBe(200)
    expect((await say(second, claim, "result", { output: { size: 3 } })).body.status).toBe("done")
    await second.until(async () => (await statusOf(second, A)) === "idle", "idle")
    expect((await callOf(second)).status).toBe("done")
  })

  test("an agent with many calls does not keep others waiting, and a tool's bound holds", async () => {
    const harness = await harnessOf({ entities: [builder({ concurrency: 3 })] })
    const many = Array.from({ length: 10 }, (_, n) => `/call build_pure {"ref":"${n}"}`).join("\n")
    await asleep(harness, many)
    await asleep(harness, `/call build_pure {"ref":"b"}`, "/builder/b")
    await asleep(harness, `/call build_pure {"ref":"c"}`, "/builder/c")
    const held = await claims(harness)
    expect(held.map(({ entity }) => entity).sort()).toEqual([A, "/builder/b", "/builder/c"])
    expect(await claims(harness, { waitMs: 0 })).toEqual([])
    const [one] = held
    if (one) await say(harness, one, "result", { output: { size: 1 } })
    expect(await claims(harness)).toHaveLength(1)
  })

  test("needs its approval first, and runs with what the person made of it", async () => {
    const harness = await harnessOf({ entities: [builder({ approval: { quorum: 1 } })] })
    const { asked } = await asleep(harness, `/call build_pure {"ref":"main"}`)
    expect(await claims(harness, { waitMs: 0 })).toEqual([])
    const { body } = await harness.call<ApprovalPage>("GET", "/v1/approvals")
    const call = body.approvals[0]?.approval.call ?? ""
    await harness.call("POST", `/v1/entities${A}/approvals/${call}`, { decision: "allow", input: { ref: "safe" } })
    const claim = await claimOne(harness)
    expect(claim.input).toEqual({ ref: "safe" })
    await say(harness, claim, "result", { output: { size: 1 } })
    await asked
    expect(await callOf(harness)).toMatchObject({ input: { ref: "main" }, edited: { ref: "safe" }, status: "done" })
    expect((await harness.call<ApprovalPage>("GET", "/v1/approvals")).body).toEqual({ approvals: [] })
  })
})

describe("what is refused", () => {
  test.each([
    ["worker", { worker: "" }],
    ["tools", { tools: {} }],
    ["capacity", { capacity: 0 }],
    ["capacity", { capacity: 101 }],
    ["waitMs", { waitMs: 60_001 }],
    ["queues", { queues: [] }],
    ["tools", { tools: { x: -1 } }],
  ])("a claim with a bad %s", async (field, change) => {
    const harness = await harnessOf({ entities: [builder()] })
    const body = { worker: "w", tools: { build_pure: 1 }, capacity: 1, ...change }
    const answer = await harness.call<Refusal["body"]>("POST", "/v1/tool-claims", body)
    expect([answer.status, answer.body.code]).toEqual([422, "INVALID_ARGS"])
    expect(answer.body.detail).toContain(field)
  })

  test("a forged claim, an unknown call, a result of another shape, and one that is too large", async () => {
    const harness = await harnessOf({ entities: [builder()], limits: { commitBytesMax: 200_000 } })
    const { asked } = await asleep(harness, `/call build_pure {"ref":"main"}`)
    const claim = await claimOne(harness)
    const refused = async (of: ToolClaim, output: Json) =>
      (await say<Refusal["body"]>(harness, of, "result", { output })).body
    expect((await refused({ ...claim, claim: "guessed" }, { size: 1 })).code).toBe("FENCED")
    expect((await refused({ ...claim, call: "r9-s9-p9" }, { size: 1 })).code).toBe("NOT_FOUND")
    expect((await refused({ ...claim, entity: "/builder/none" }, { size: 1 })).code).toBe("NOT_FOUND")
    expect(await refused(claim, { size: "big" })).toMatchObject({
      code: "INVALID_ARGS",
      detail: expect.stringContaining("output.size") as string,
    })
    expect((await refused(claim, "x".repeat(300_000))).code).toBe("TOO_LARGE")
    expect((await say<Refusal["body"]>(harness, claim, "progress", { fraction: 2 })).body.code).toBe("INVALID_ARGS")
    expect((await callOf(harness)).status).toBe("waiting")
    await say(harness, claim, "result", { output: { size: 1 } })
    expect((await asked).status).toBe("processed")
  })

  test("a token that may only read claims nothing, and one for workers may do nothing else", async () => {
    const worker = { ...adminToken("ci", "w".repeat(16)), scope: "work" as const }
    const reader = { ...adminToken("eye", "r".repeat(16)), scope: "read" as const }
    const harness = await harnessOf({ entities: [builder()], tokens: [worker, reader] })
    const as = (token: string) => ({ authorization: `Bearer ${token.repeat(16)}` })
    const body = { worker: "w", tools: { build_pure: 1 }, capacity: 1 }
    expect((await harness.call("POST", "/v1/tool-claims", body, as("w"))).status).toBe(200)
    expect((await harness.call("POST", "/v1/tool-claims", body, as("r"))).status).toBe(403)
    expect((await harness.call("GET", "/v1/entities", undefined, as("w"))).status).toBe(403)
    expect(
      (await harness.call("POST", "/v1/entities/builder/a/approvals/x", { decision: "allow" }, as("w"))).status,
    ).toBe(403)
    expect(
      (await harness.call("POST", "/v1/tool-claims", body, { authorization: "Bearer forged-forged-forged" })).status,
    ).toBe(401)
  })
})

test("a large result becomes an attachment, and the prompt has a preview", async () => {
  const wide = defineEntity("wide", {
    async handler(ctx) {
      const dump = workerTool({ name: "dump", description: "d", input: z.object({}), effect: "pure" })
      ctx.useAgent({ systemPrompt: "x", model: "rouse/echo", tools: [dump] })
      await ctx.agent.run()
    },
  })
  const harness = await harnessOf({ entities: [wide] })
  const { asked } = await asleep(harness, "/call dump", "/wide/a")
  const claim = await claimOne(harness, { tools: { dump: 1 } })
  const output = "line\n".repeat(20_000)
  expect((await say(harness, claim, "result", { output })).body.status).toBe("done")
  await asked
  const [attachment] = await harness.rows<{ id: string }>("/wide/a", "attachment")
  expect((await callOf(harness, "/wide/a")).output).toContain(attachment?.value.id)
  const response = await harness.server.fetch(
    new Request(`http://localhost/v1/entities/wide/a/attachments/${attachment?.value.id}`, {
      headers: { host: "localhost" },
    }),
  )
  expect(await response.text()).toBe(output)
})

test("a question is answered by a person, in the shape it asks for", async () => {
  const asker = defineEntity("asker", {
    async handler(ctx) {
      const ask = humanTool({ name: "ask", description: "Asks", answer: z.object({ size: z.enum(["s", "m"]) }) })
      ctx.useAgent({ systemPrompt: "x", model: "rouse/echo", tools: [ask] })
      await ctx.agent.run()
    },
  })
  const harness = await harnessOf({ entities: [asker] })
  const { asked } = await asleep(harness, `/call ask {"question":"Which size?"}\n/then\n/say thanks`, "/asker/a")
  const { body } = await harness.call<ApprovalPage>("GET", "/v1/approvals?type=asker")
  const { call, question, kind } = body.approvals[0]?.approval ?? {}
  expect({ question, kind }).toEqual({ question: "Which size?", kind: "question" })
  const answer = (value: object) =>
    harness.call<Refusal["body"]>("POST", `/v1/entities/asker/a/approvals/${call}`, value)
  expect((await answer({ answer: { size: "xxl" } })).body).toMatchObject({ code: "INVALID_ARGS" })
  expect((await answer({ decision: "allow" })).body).toMatchObject({ code: "INVALID_ARGS" })
  expect((await answer({})).status).toBe(422)
  expect((await answer({ answer: { size: "m" } })).status).toBe(202)
  expect(await asked).toMatchObject({ status: "processed", reply: "thanks" })
  expect(await callOf(harness, "/asker/a")).toMatchObject({ status: "done", output: { size: "m" }, backend: "human" })
})
