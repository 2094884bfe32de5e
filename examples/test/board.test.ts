import { registeredEntities } from "@rouse/agents/runtime"
import type { SharedPage } from "@rouse/protocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"

let harness: Harness

beforeAll(async () => {
  await import("../board.ts")
  harness = await Harness.open({ entities: registeredEntities().values(), model: "rouse/echo" })
})
afterAll(async () => {
  await harness.close()
})

async function tasks(board: string): Promise<SharedPage<{ readonly result?: string }>["rows"]> {
  return (await harness.call<SharedPage<{ readonly result?: string }>>("GET", `/v1/shared/${board}/tasks`)).body.rows
}

test("workers share out the tasks of a board, and each is done once", async () => {
  const titles = Array.from({ length: 12 }, (_, n) => `task ${n}`)
  await harness.spawn("/planner/p", { args: { board: "sprint", workers: 4 } })
  expect(await harness.ask("/planner/p", titles)).toMatchObject({ reply: 12 })
  const rows = await tasks("sprint")
  expect(rows).toHaveLength(12)
  for (const row of rows) expect(row).toMatchObject({ done: true, value: { result: expect.stringContaining("task") } })
})

test("a clerk works on the board with tools of its schema", async () => {
  await harness.spawn("/clerk/c", { args: { board: "desk" } })
  await harness.ask("/clerk/c", '/call tasks_add {"row":{"id":"a","title":"Water the plants","kind":"check"}}')
  expect(await tasks("desk")).toMatchObject([{ key: "a", value: { title: "Water the plants" } }])
  await harness.ask("/clerk/c", '/call tasks_claim {"where":{"kind":"check"}}')
  expect(await tasks("desk")).toMatchObject([{ claim: { holder: "/clerk/c" } }])
})
