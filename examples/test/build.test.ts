import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createClient } from "@rouse/client"
import type { ToolCallRow, ToolWorkRow } from "@rouse/protocol"
import { expect, onTestFinished, test } from "vitest"
import { Harness } from "../../packages/server/test/harness.ts"
import { builder } from "../build.ts"

function startWorker(url: string, buildMs: number): ChildProcess {
  const file = new URL("../build-worker.ts", import.meta.url).pathname
  const child = spawn(process.execPath, ["--conditions=@rouse/source", file, url], {
    stdio: "ignore",
    env: { ...process.env, NODE_OPTIONS: "", BUILD_MS: String(buildMs) },
  })
  onTestFinished(() => {
    child.kill("SIGKILL")
  })
  return child
}

test("a build survives the kill of its worker, and a person says where it goes", { timeout: 60_000 }, async () => {
  const harness = await Harness.open({ entities: [builder], model: "rouse/echo" })
  onTestFinished(() => harness.close())
  const { url } = await harness.server.listen({ host: "127.0.0.1", port: 0 })
  const client = createClient({ url })
  await client.spawn("/builder/one")
  const script =
    '/call build {"commit":"main"}\n/then\n/call ask_release {"question":"Where to?"}\n/then\n/say Shipped.'
  const asked = client.ask("/builder/one", script)

  const doomed = startWorker(url, 600_000)
  const building = async () => {
    const [work] = await harness.rows<ToolWorkRow>("/builder/one", "tool_work")
    return work?.value.progress?.message === "fetching"
  }
  await harness.until(building, "the first worker builds")
  expect(harness.server.activeWakes).toBe(0)
  doomed.kill("SIGKILL")
  startWorker(url, 40)

  const question = async () => (await client.state("/builder/one", "approval")).rows.length > 0
  await harness.until(question, "the question")
  const [built] = await harness.rows<ToolCallRow>("/builder/one", "tool_call")
  expect(built?.value).toMatchObject({ status: "done", attempts: 2, resolved: "again" })
  for await (const { entity, approval } of client.approvals({ type: "builder" })) {
    expect(approval.question).toBe("Where to?")
    await client.answer(entity, approval.call, { channel: "canary" })
  }
  expect(await asked).toMatchObject({ status: "processed", reply: "Shipped." })
})
