import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createClient, type Client } from "@rouse/client"
import type { ApprovalRow, ToolCallRow, ToolWorkRow } from "@rouse/protocol"
import { expect, onTestFinished, test } from "vitest"
import { formsOf } from "../../packages/agents/src/core/secret-forms.ts"
import { directory, served } from "../../packages/cli/test/harness.ts"
import { buildPage } from "../../packages/ui/test/support/build.ts"
import { bundle } from "./bundle.ts"
import { bytesIn, Payments } from "./payments.ts"
import { OrderPage } from "./scenario-page.ts"
import { startStockServer } from "./stock-server.ts"
import { startWorkerd } from "./workerd.ts"

const POLICY = fileURLToPath(new URL("../scenario/policy.json", import.meta.url))
const WORKSHOP = fileURLToPath(new URL("../scenario/workshop.ts", import.meta.url))

const PAYMENTS_KEY = 'pk_7h+/Zq"8 w=\\T'
const STOCK_TOKEN = "stock-4be1c07f9d2a"
const WORKSHOP_TOKEN = "ws_Q8/+tz5-kk1~0v3"
const TOKENS = {
  operator: "an-operator-1f0c9b7e5d",
  anna: "anna-77aa0c3de91b4f",
  ben: "ben-0c8e41d2aa9f6b",
  workshop: "workshop-5512c9e0f3",
}

/** Each line is a step: another backend. */
const SCRIPT = [
  '/call pay {"body":{"order":"hangs-1","cents":90000}}',
  '/call build {"article":"desk"}',
  '/call stock_look {"article":"desk"}',
  '/call run_code {"code":"const cents = await Promise.all([\\"desk\\", \\"lamp\\", \\"mat\\"].map((article) => tools.price({ article }))); return cents.reduce((a, b) => a + b)"}',
  '/call refund {"body":{"order":"hangs-1","cents":50000}}',
  "/say All done.",
].join("\n/then\n")

test("an order agent in a Worker uses every backend, some of which die", { timeout: 120_000 }, async () => {
  await using place = await directory({ "tokens.json": tokensFile() })
  await buildPage()
  const data = join(place.path, "data")
  const payments = new Payments(join(place.path, "payments.jsonl"), PAYMENTS_KEY)
  onTestFinished(() => payments.close())
  await payments.start()
  const stock = await startStockServer(STOCK_TOKEN)
  onTestFinished(() => stock.close())
  const printed: (() => string)[] = []
  {
    const args = ["start", "--data", data, "--tokens", "tokens.json", "--policy", POLICY, "--allow-loopback-webhooks"]
    await using server = await served(place.path, [...args, "--log-level", "trace"], { WORKSHOP_TOKEN })
    printed.push(server.running.out, server.running.err)
    const workerd = await startWorkerd(await bundle("../scenario/worker.ts"), {
      ROUSE_URL: server.url,
      PAYMENTS_URL: payments.url,
      STOCK_URL: stock.url,
      PAYMENTS_KEY,
      STOCK_TOKEN,
    })
    onTestFinished(() => workerd.close())
    printed.push(workerd.printed)
    const as = (name: keyof typeof TOKENS): Client => createClient({ url: server.url, token: TOKENS[name] })
    const operator = as("operator")
    expect(await operator.deploy(workerd.url)).toMatchObject([{ name: "orders", dispatch: { kind: "webhook" } }])
    await operator.spawn("/orders/one")
    const { rows: none } = await operator.state("/orders/one", "tool_call")
    expect(none).toEqual([])

    await using page = await OrderPage.open(server.url, TOKENS.operator)
    const asked = operator.ask("/orders/one", SCRIPT)
    // The payment service dies after it charged, and before it said so.
    await payments.killAt("hangs-1")
    await payments.start()

    // The workshop dies in the middle of the build.
    const workshop = (name: string, buildMs: number): ChildProcess => {
      const child = startWorkshop(server.url, name, buildMs)
      let text = ""
      for (const stream of [child.stdout, child.stderr])
        stream?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk))
      printed.push(() => text)
      return child
    }
    const doomed = workshop("doomed", 600_000)
    await expect.poll(() => progressOf(operator), { timeout: 20_000 }).toContain("sawing")
    expect(await progressOf(operator)).toContain("[redacted]")
    expect((await operator.get("/orders/one")).status).toBe("suspended")
    await page.showsBuilding("doomed")
    doomed.kill("SIGKILL")
    workshop("second", 10)

    // A person decides, and not everybody may.
    await expect.poll(() => waiting(operator), { timeout: 40_000 }).toBeDefined()
    const call = (await waiting(operator))?.call ?? ""
    await page.showsApproval()
    const half = { input: { body: { order: "hangs-1", cents: 25_000 } } }
    await expect(as("ben").approve("/orders/one", call, "allow")).rejects.toMatchObject({ code: "FORBIDDEN" })
    await expect(as("workshop").approve("/orders/one", call, "allow")).rejects.toMatchObject({ code: "FORBIDDEN" })
    await as("anna").approve("/orders/one", call, "allow", "half of it", half)
    expect(await asked).toMatchObject({ status: "processed", reply: "All done." })

    const rows = (await operator.state("/orders/one", "tool_call")).rows.map(
      ({ value }) => value as unknown as ToolCallRow,
    )
    expect(rows).toMatchObject([
      { name: "pay", status: "done", backend: "http", effect: "reconcilable", resolved: "reconciled" },
      {
        name: "build",
        status: "done",
        backend: "worker",
        attempts: 2,
        resolved: "again",
        worker: { name: "second" },
        output: { note: "built with [redacted]" },
      },
      { name: "stock_look", status: "done", backend: "mcp", output: "desk: 3 left, as [redacted] may know" },
      { name: "run_code", status: "done", backend: "sandbox", output: { value: 1_100, calls: [{}, {}, {}] } },
      {
        name: "refund",
        status: "done",
        backend: "http",
        input: { body: { order: "hangs-1", cents: 50_000 } },
        edited: { body: { order: "hangs-1", cents: 25_000 } },
        output: { cents: 25_000, sent: { key: "[redacted]", base64: expect.stringContaining("[redacted]") } },
      },
    ])
    const approvals = (await operator.state("/orders/one", "approval")).rows.map(({ value }) => value)
    expect(approvals).toMatchObject([
      {
        tool: "refund",
        status: "allowed",
        rule: "large refunds",
        by: { kind: "user", id: "anna" },
        note: "half of it",
        input: { body: { cents: 50_000 } },
        edited: { body: { cents: 25_000 } },
      },
    ])
    expect(await payments.made("hangs-1")).toBe(2)
    printed.push(await page.showsAll())

    // A later wake of the same isolate, over connections that an earlier one opened.
    expect(await operator.ask("/orders/one", '/call stock_look {"article":"lamp"}')).toMatchObject({
      reply: expect.stringContaining("3 left, as [redacted]"),
    })
    expect(workerd.printed()).toBe("")
  }
  const kept = `${await bytesIn(data)}\n${printed.map((text) => text()).join("\n")}`
  expect(kept).toContain("[redacted]")
  for (const value of [PAYMENTS_KEY, STOCK_TOKEN, WORKSHOP_TOKEN, ...Object.values(TOKENS)])
    expect(formsOf(value).filter((form) => kept.includes(form))).toEqual([])
})

function tokensFile(): string {
  const scopes = { operator: "admin", anna: "write", ben: "write", workshop: "work" } as const
  const tokens = Object.entries(TOKENS).map(([name, token]) => ({
    name,
    token,
    scope: scopes[name as keyof typeof TOKENS],
  }))
  return JSON.stringify({ tokens })
}

function startWorkshop(url: string, name: string, buildMs: number): ChildProcess {
  const env = { BUILD_MS: String(buildMs), ROUSE_TOKEN: TOKENS.workshop, WORKSHOP_NAME: name, WORKSHOP_TOKEN }
  const child = spawn(process.execPath, ["--conditions=@rouse/source", WORKSHOP, url], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  })
  onTestFinished(() => void child.kill("SIGKILL"))
  return child
}

async function progressOf(client: Client): Promise<string> {
  const { rows } = await client.state("/orders/one", "tool_work")
  const [work] = rows.map(({ value }) => value as unknown as ToolWorkRow)
  return work?.progress?.message ?? ""
}

async function waiting(client: Client): Promise<ApprovalRow | undefined> {
  for await (const { approval } of client.approvals({ type: "orders" })) return approval
  return undefined
}
