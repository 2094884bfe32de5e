import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { registeredEntities } from "@rouse/agents/runtime"
import type { ApprovalRow, EntityPage, MessageRow, Row, RunRow, ToolCallRow } from "@rouse/protocol"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"

let directory: string
let harness: Harness

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-examples-"))
  process.env["PAYMENTS_FILE"] = join(directory, "refunds.jsonl")
  await import("../assistant.ts")
  await import("../support.ts")
  await import("../debate.ts")
  harness = await Harness.open({ entities: registeredEntities().values(), model: "rouse/echo" })
})
afterAll(async () => {
  await harness.close()
  await rm(directory, { recursive: true, force: true })
})

async function refunds(): Promise<readonly { order: string; cents: number }[]> {
  const text = await readFile(join(directory, "refunds.jsonl"), "utf8").catch(() => "")
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]))
}

test("assistant answers", async () => {
  await harness.spawn("/assistant/one")
  const settled = await harness.ask("/assistant/one", "hello")
  expect(settled).toMatchObject({ status: "processed" })
  expect(String(settled.reply)).toContain("hello")
})

describe("support", () => {
  test("refunds a small sum at once, and notes it", async () => {
    await harness.spawn("/support/small", { args: { customer: "Ada" } })
    const settled = await harness.ask(
      "/support/small",
      '/call refund {"order":"o1","cents":500}\n/call note {"text":"likes refunds"}',
    )
    expect(settled.status).toBe("processed")
    expect(await refunds()).toMatchObject([{ order: "o1", cents: 500 }])
    const notes = await harness.rows<{ text: string }>("/support/small", "notes")
    expect(notes.map((row) => row.value.text)).toEqual(["likes refunds"])
    expect(await harness.rows("/support/small", "tag")).toMatchObject([{ key: "customer", value: { value: "Ada" } }])
  })

  test("asks a person for a large one, holds no process meanwhile, and goes on when allowed", async () => {
    await harness.spawn("/support/large", { args: { customer: "Bob" } })
    const asked = harness.ask("/support/large", '/call refund {"order":"o2","cents":50000}')
    const approval = await waiting("/support/large")
    expect(harness.server.activeWakes).toBe(0)
    expect(approval.value).toMatchObject({ tool: "refund", input: { order: "o2", cents: 50_000 } })
    await decide("/support/large", approval.key, { decision: "allow", note: "it broke" })
    expect((await asked).status).toBe("processed")
    expect(await refunds()).toContainEqual(expect.objectContaining({ order: "o2", cents: 50_000 }))
    const repeated = await decide("/support/large", approval.key, { decision: "allow" })
    expect(repeated.status).toBe(202)
    expect((await decide("/support/large", approval.key, { decision: "deny" })).status).toBe(409)
  })

  test("does not refund what is denied, and the model is told why", async () => {
    await harness.spawn("/support/denied", { args: { customer: "Eve" } })
    const asked = harness.ask("/support/denied", '/call refund {"order":"o3","cents":99999}')
    const approval = await waiting("/support/denied")
    await decide("/support/denied", approval.key, { decision: "deny", note: "no receipt" })
    expect((await asked).status).toBe("processed")
    expect((await refunds()).some((refund) => refund.order === "o3")).toBe(false)
    const [call] = await harness.rows<ToolCallRow>("/support/denied", "tool_call")
    expect(call?.value.status).toBe("denied")
    expect(JSON.stringify(call?.value)).toContain("no receipt")
  })

  test("an interrupt while it waits cancels the approval", async () => {
    await harness.spawn("/support/cut", { args: { customer: "Mal" } })
    const asked = harness.ask("/support/cut", '/call refund {"order":"o4","cents":99999}')
    const approval = await waiting("/support/cut")
    await harness.call("POST", "/v1/entities/support/cut/signals", { signal: "interrupt" })
    expect((await asked).status).toBe("cancelled")
    expect((await harness.rows<RunRow>("/support/cut", "run"))[0]?.value.status).toBe("interrupted")
    expect((await decide("/support/cut", approval.key, { decision: "allow" })).status).toBe(409)
    expect((await harness.ask("/support/cut", "still there?")).status).toBe("processed")
  })
})

async function waiting(url: string): Promise<Row<ApprovalRow>> {
  let found: Row<ApprovalRow> | undefined
  await harness.until(async () => {
    found = (await harness.rows<ApprovalRow>(url, "approval")).find((row) => row.value.status === "waiting")
    const { body } = await harness.call<{ status: string }>("GET", `/v1/entities${url}`)
    return found !== undefined && body.status === "suspended"
  }, "an approval waits")
  if (!found) throw new Error("no approval")
  return found
}

function decide(url: string, call: string, body: unknown) {
  return harness.call("POST", `/v1/entities${url}/approvals/${call}`, body)
}

test("debate: a manager, a judge and two debaters, through logs alone", async () => {
  await harness.spawn("/manager/m")
  const settled = await harness.ask("/manager/m", "tabs are better than spaces")
  expect(settled.status).toBe("processed")
  expect(String(settled.reply)).toContain("better one")
  const { body } = await harness.call<EntityPage>("GET", "/v1/entities?limit=100")
  const debate = body.entities.filter((entity) => entity.url.includes("/m-judge"))
  expect(debate.map((entity) => entity.url).sort()).toEqual([
    "/debater/m-judge-against",
    "/debater/m-judge-for",
    "/judge/m-judge",
  ])
  expect(debate.every((entity) => entity.status === "idle")).toBe(true)
  const messages = await harness.rows<MessageRow>("/judge/m-judge", "message")
  expect(messages.map((row) => row.value.kind)).toEqual(["message", "childFinished", "childFinished"])
  expect(messages.every((row) => row.value.status === "processed")).toBe(true)
})
