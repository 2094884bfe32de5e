import type { ApprovalRow, Json, MessageRow, SharedPage } from "@rouse/protocol"
import { createTestRouse } from "@rouse/agents/testing"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"
import { blackboard, chair, speaker } from "../patterns/blackboard.ts"
import { digest, inbox } from "../patterns/digest.ts"
import { billing, frontDesk, shipping } from "../patterns/dispatcher.ts"
import { helpline } from "../patterns/escalation.ts"
import { lead, researcher } from "../patterns/manager.ts"
import { mapper, wordCount } from "../patterns/map-reduce.ts"
import { auditor } from "../patterns/observer.ts"
import { draft, edit, publish } from "../patterns/pipeline.ts"

const ENTITIES = [
  ...[lead, researcher, chair, speaker, wordCount, mapper, draft, edit, publish],
  ...[frontDesk, billing, shipping, auditor, helpline, digest, inbox],
]
let harness: Harness

beforeAll(async () => {
  harness = await Harness.open({ entities: ENTITIES })
})
afterAll(async () => {
  await harness.close()
})

test("manager and workers: each question is looked into by another, also in a second round", async () => {
  await harness.spawn("/lead/m")
  expect((await harness.ask("/lead/m", ["tides", "moons"])).reply).toContain('- what is known of "moons"')
  expect((await harness.ask("/lead/m", ["stars"])).reply).toContain('- what is known of "stars"')
  expect((await harness.rows("/lead/m", "child")).map(({ key }) => key)).toHaveLength(3)
})

test("a debate on a blackboard: point and answer in turns, and then a verdict", async () => {
  await harness.spawn("/chair/tabs", { args: { rounds: 3 } })
  const { reply } = await harness.ask("/chair/tabs", "tabs are better than spaces")
  expect(reply).toContain("After 6 points")
  const { body } = await harness.call<SharedPage<{ readonly text: string }>>("GET", "/v1/shared/tabs/points")
  expect(body.rows.map(({ key }) => key)).toEqual(["1-against", "1-for", "2-against", "2-for", "3-against", "3-for"])
  expect(Object.keys(blackboard.collections)).toEqual(["points"])
})

test("map and reduce: one count of the words of many documents", async () => {
  await harness.spawn("/word-count/w")
  const texts = Array.from({ length: 30 }, (_, n) => (n % 2 === 0 ? "Owls hoot." : "Owls sleep, owls wake."))
  expect((await harness.ask("/word-count/w", texts)).reply).toEqual({ owls: 45, hoot: 15, sleep: 15, wake: 15 })
})

test("a pipeline: what goes in at one end comes out at the other", async () => {
  for (const name of ["a", "b", "c"]) {
    await harness.spawn(`/draft/${name}`, { message: `topic ${name}` })
  }
  let rows: SharedPage<{ readonly text: string }>["rows"] = []
  await harness.until(async () => {
    const { status, body } = await harness.call<SharedPage<{ readonly text: string }>>("GET", "/v1/shared/shelf/pieces")
    if (status === 200) ({ rows } = body)
    return rows.length === 3
  }, "all are published")
  expect(rows.map(({ value }) => value.text)).toContain("something about topic b, edited")
})

describe("a dispatcher", () => {
  test.each([
    ["paid", "where is my refund?", "billing"],
    ["late", "where is my parcel?", "shipping"],
  ])("%s: asks who knows", async (id, question, desk) => {
    await harness.spawn(`/front-desk/${id}`)
    for (const again of ["", " And now?"])
      expect(await harness.ask(`/front-desk/${id}`, question + again)).toMatchObject({
        status: "processed",
        reply: expect.stringContaining(`${desk} says`),
      })
  })
})

test("an observer: large orders rouse it, each once, many in one wake; and so does a silence", async () => {
  const rouse = createTestRouse({ entities: ENTITIES })
  await rouse.spawn("/auditor/a", { args: { orders: "orders" } })
  await rouse.ask("/auditor/a", "begin")
  for (const [n, cents] of [500, 20_000, 30_000, 10].entries()) rouse.append("orders", { id: `o${n}`, cents })
  await rouse.advance(1_000)
  expect(rouse.rows("/auditor/a", "flagged")).toMatchObject([{ id: "o1" }, { id: "o2" }])
  const told = rouse.rows("/auditor/a", "message").filter(({ kind }) => kind === "change")
  expect(told).toHaveLength(1)
  await rouse.advance(3_600_000)
  expect(rouse.tags("/auditor/a")).toEqual({ quiet: "no large order for an hour" })
})

describe("escalation", () => {
  const QUESTION = '/call ask_team {"question":"May we?"}\n/then\n/say They said.'

  test("a person of the team answers, and the agent goes on", async () => {
    await harness.spawn("/helpline/h")
    const asked = harness.ask("/helpline/h", QUESTION)
    const answer = { answer: { answer: "Yes." } }
    const call = await waiting("/helpline/h", (row) => row.status === "waiting")
    expect((await harness.call("POST", `/v1/entities/helpline/h/approvals/${call}`, answer)).status).toBe(202)
    expect((await asked).reply).toBe("They said.")
  })

  test("nobody answers: managers are asked, and then the model is told", async () => {
    await harness.spawn("/helpline/n", { args: { patienceMs: 50 } })
    expect((await harness.ask("/helpline/n", QUESTION)).reply).toBe("They said.")
    await waiting("/helpline/n", ({ status, from }) => status !== "waiting" && from?.[0] === "manager")
  })
})

async function waiting(url: string, matches: (row: ApprovalRow) => boolean): Promise<string> {
  let call: string | undefined
  await harness.until(async () => {
    call = (await harness.rows<ApprovalRow>(url, "approval")).find(({ value }) => matches(value))?.key
    return call !== undefined
  }, "somebody is asked")
  return call ?? ""
}

test("a digest: news is kept until nine on a working day, and is sent once", async () => {
  // A Thursday.
  const rouse = createTestRouse({ entities: ENTITIES, startMs: Date.UTC(2026, 0, 1, 12) })
  await rouse.spawn("/inbox/ann")
  await rouse.spawn("/digest/d", { args: { reader: "/inbox/ann" } })
  await rouse.ask("/digest/d", "it rained")
  await rouse.ask("/digest/d", "it stopped")
  expect(inboxOf(rouse.rows("/inbox/ann", "message"))).toEqual([])
  await rouse.advance(4 * 86_400_000)
  expect(inboxOf(rouse.rows("/inbox/ann", "message"))).toEqual(["Today: it rained; it stopped"])
  expect(rouse.rows("/digest/d", "news")).toEqual([])
})

function inboxOf(messages: readonly MessageRow[]): readonly Json[] {
  return messages.map(({ content }) => content)
}
