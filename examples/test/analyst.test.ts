import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ToolCallRow } from "@rouse/protocol"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"

let directory: string
let harness: Harness

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-analyst-"))
  process.env["WORKSPACES"] = directory
  const { analyst } = await import("../analyst.ts")
  harness = await Harness.open({ entities: [analyst], model: "rouse/echo" })
})
afterAll(async () => {
  await harness.close()
  await rm(directory, { recursive: true, force: true })
})

test("computes in a script, keeps files from one wake to the next, and asks before it removes any", async () => {
  await harness.spawn("/analyst/one")
  const code = "let sum = 0; for (const month of [1, 2, 3]) sum += await tools.sales({ month }); return sum"
  await harness.ask("/analyst/one", `/call run_code ${JSON.stringify({ code })}`)
  await harness.ask("/analyst/one", '/call write_file {"path":"report.md","content":"# Sales\\n\\n6000\\n"}')
  await harness.ask(
    "/analyst/one",
    '/call shell {"command":"wc -l < report.md"}\n/call read_file {"path":"../report.md"}',
  )
  const asked = harness.ask("/analyst/one", '/call shell {"command":"rm report.md"}')
  const calls = async () => (await harness.rows<ToolCallRow>("/analyst/one", "tool_call")).map(({ value }) => value)
  await harness.until(async () => (await calls()).some(({ status }) => status === "waiting"), "a removal waits")
  await harness.call("POST", "/v1/entities/analyst/one/signals", { signal: "interrupt" })
  expect((await asked).status).toBe("cancelled")
  const [script, write, shell, outside] = await calls()
  expect(script).toMatchObject({ status: "done", backend: "sandbox", output: { value: 6_000 } })
  expect(write).toMatchObject({ status: "done", output: { path: "report.md" } })
  expect(shell).toMatchObject({
    status: "done",
    output: { exitCode: 0, stdout: expect.stringMatching(/^\s*3\n$/) as string },
  })
  expect(outside).toMatchObject({
    status: "failed",
    error: expect.stringContaining("leads out of the workspace") as string,
  })
})
