import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Row, ToolCallRow } from "@rouse/protocol"
import { afterEach, expect, onTestFinished, test } from "vitest"
import { formsOf } from "../../packages/agents/src/core/secret-forms.ts"
import { directory, served, start } from "../../packages/cli/test/harness.ts"
import type { Served } from "../../packages/cli/test/harness.ts"
import { bytesIn, Payments } from "./payments.ts"

const KEY = 'pk_9f+/Zq"8 w=\\T'
const ORDERS = fileURLToPath(new URL("../orders.ts", import.meta.url))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL")
})

function pay(order: string): string {
  return `/call pay ${JSON.stringify({ body: { order, cents: 500 } })}`
}

async function call(server: Served, agent: string): Promise<ToolCallRow | undefined> {
  const response = await fetch(`${server.url}/v1/entities/orders/${agent}/state/tool_call`)
  const { rows } = (await response.json()) as { readonly rows: readonly Row<ToolCallRow>[] }
  return rows[0]?.value
}

test("orders are paid exactly once, whoever is killed in the middle, and no secret is kept anywhere", async () => {
  await using place = await directory()
  const payments = new Payments(join(place.path, "payments.jsonl"), KEY)
  onTestFinished(() => payments.close())
  await payments.start()
  const env = { PAYMENTS_URL: payments.url, PAYMENTS_KEY: KEY }
  const logs: string[] = []
  const data = join(place.path, "data")
  const serve = () => served(place.path, ["dev", ORDERS, "--data", data], env)
  {
    await using server = await serve()
    const send = async (agent: string, order: string) => {
      const { out, err } = await server.rouse("send", `/orders/${agent}`, pay(order))
      logs.push(out, err)
    }
    await send("paid", "paid")
    expect(await call(server, "paid")).toMatchObject({ status: "done", backend: "http", effect: "reconcilable" })
    await send("refused", "refused")
    expect(await call(server, "refused")).toMatchObject({
      status: "failed",
      error: expect.stringContaining("[redacted]"),
    })
    await send("busy", "busy")
    expect(await call(server, "busy")).toMatchObject({ status: "done" })

    // The service dies after it charged, and before it said so.
    const hanging = send("hangs", "hangs")
    await payments.killAt("hangs")
    await payments.start()
    await hanging
    expect(await call(server, "hangs")).toMatchObject({ status: "done", resolved: "reconciled" })

    // It dies before it charged.
    const losing = send("lost", "lost")
    await payments.killAt("lost")
    await payments.start()
    await losing
    expect(await call(server, "lost")).toMatchObject({ status: "done" })

    // This process dies while it waits.
    const waiting = start(["send", "/orders/killed", pay("hangs-too")], {
      cwd: place.path,
      env: { ...env, ROUSE_URL: server.url },
    })
    children.push(waiting.child)
    await payments.holds("hangs-too")
    server.running.child.kill("SIGKILL")
    await server.running.finished
    logs.push(server.running.out(), server.running.err())
  }
  {
    await using server = await serve()
    await expect.poll(async () => (await call(server, "killed"))?.status).toBe("done")
    expect(await call(server, "killed")).toMatchObject({ resolved: "reconciled" })
    const shown = await server.rouse("show", "/orders/refused")
    server.running.child.kill("SIGTERM")
    await server.running.finished
    logs.push(shown.out, shown.err, server.running.out(), server.running.err())
  }
  for (const order of ["paid", "busy", "hangs", "lost", "hangs-too"])
    expect([order, await payments.made(order)]).toEqual([order, 1])
  expect(await payments.made("refused")).toBe(0)
  const kept = `${await bytesIn(data)}\n${logs.join("\n")}`
  expect(kept).toContain("[redacted]")
  for (const form of formsOf(KEY)) expect(kept.includes(form)).toBe(false)
}, 120_000)
