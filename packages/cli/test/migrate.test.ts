import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { directory, rouse, served } from "./harness.ts"
import type { Served } from "./harness.ts"

vi.setConfig({ testTimeout: 180_000 })

const WAIT_MS_MAX = 60_000

/** Each worker leaves a line for each of its steps, and between them waits for a file of its name. */
const AGENTS = `import { defineEntity, tool } from "@rouse/agents"
import { appendFileSync, existsSync, writeFileSync } from "node:fs"
import { setTimeout as pause } from "node:timers/promises"
import { z } from "zod"

const wipe = tool({
  name: "wipe", description: "Wipes", input: z.object({}), effect: "once", approval: true,
  execute: () => { appendFileSync("ledger", "wiped\\n"); return "wiped" },
})
export const assistant = defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo", tools: [...ctx.tools, wipe] })
    await ctx.agent.run()
  },
})
export const worker = defineEntity("worker", {
  async handler(ctx) {
    const { id } = ctx.entity
    await ctx.step("first", () => { appendFileSync("ledger", id + " first\\n"); return 1 })
    writeFileSync(id + ".waits", "")
    while (!existsSync(id + ".go")) await pause(20)
    await ctx.step("second", () => { appendFileSync("ledger", id + " second\\n"); return 2 })
    ctx.reply(id + " is done")
  },
})
export const fragile = defineEntity("fragile", {
  attempts: 1,
  handler(ctx, wake) {
    if (wake.messages.some(({ content }) => content === "bad") && !existsSync("mended")) throw new Error("it broke")
    ctx.reply("fine")
  },
})
`

let database: PostgresDatabase
beforeAll(async () => {
  database = await sharedPostgres()
})
afterAll(() => database.close())

describe.skipIf(!hasPostgres())("rouse migrate", () => {
  test("agents in every state are killed, moved up, go on; killed, moved back down, and go on", async () => {
    await using place = await directory({ "a.ts": AGENTS })
    const at = (name: string): string => join(place.path, name)
    const env = { ROUSE_DATABASE_URL: database.url }
    let offset = ""
    {
      await using first = await served(place.path, ["start", "a.ts"])
      await first.rouse("send", "/assistant/one", "hello")
      offset = await offsetAfter(first, "/assistant/one")
      await first.rouse("send", "/assistant/asks", "/call wipe\n/then\n/say wiped it", "--no-wait")
      await first.rouse("send", "/assistant/asks2", "/call wipe\n/then\n/say wiped it", "--no-wait")
      await first.rouse("send", "/fragile/dead", "bad", "--no-wait")
      await first.rouse("send", "/fragile/dead2", "bad", "--no-wait")
      await first.rouse("spawn", "/fragile/timed").then(failed)
      await first.rouse("schedule", "/fragile/timed", "soon", "tick", "--every", "1000").then(failed)
      await first.rouse("fork", "/assistant/one", "--id", "forked").then(failed)
      await first.rouse("send", "/worker/up", "go", "--no-wait")
      await first.rouse("send", "/worker/down", "go", "--no-wait")
      await until(() => existsSync(at("up.waits")) && existsSync(at("down.waits")))
      await until(async () => (await first.rouse("approvals", "--json")).out.includes("asks2"))
      await until(async () => (await first.rouse("dead", "--json")).out.includes("dead2"))
      first.running.child.kill("SIGKILL")
      await first.running.finished
    }
    writeFileSync(at("up.go"), "")
    const up = await rouse(["migrate", "--from", ".rouse", "--to", "database", "--json"], { cwd: place.path, env })
    expect(up).toMatchObject({ code: 0, err: "" })
    expect(up.out).not.toContain("postgres@")
    expect(JSON.parse(up.out)).toMatchObject({ finished: false, to: database.url.replace("postgres@", "") })
    const refused = await rouse(["start", "a.ts", "--port", "0"], { cwd: place.path })
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^rouse: .*\.rouse was moved to postgres:\/\/127.*\n$/),
    })
    {
      await using second = await served(place.path, ["start", "a.ts"], env)
      await until(async () => (await textFrom(second, "/worker/up", "-1")).includes("up is done"))
      expect(await textFrom(second, "/assistant/one", offset)).not.toContain("hello")
      await second.rouse("send", "/assistant/one", "again")
      expect(await textFrom(second, "/assistant/one", offset)).toContain("again")
      await approveOf(second, "/assistant/asks")
      await until(async () => (await textFrom(second, "/assistant/asks", "-1")).includes("wiped it"))
      appendFileSync(at("mended"), "")
      await second.rouse("retry", "/fragile/dead")
      await until(async () => (await textFrom(second, "/fragile/dead", "-1")).includes("fine"))
      await ticksOn(second)
      second.running.child.kill("SIGKILL")
      await second.running.finished
    }
    writeFileSync(at("down.go"), "")
    const words = ["migrate", "--from", "database", "--to", ".rouse", "--wait", "60"]
    const kept = await rouse(words, { cwd: place.path, env })
    expect(kept).toMatchObject({ code: 1, err: expect.stringContaining("--replace writes over it") })
    const down = await rouse([...words, "--replace"], { cwd: place.path, env })
    expect(down).toMatchObject({ code: 0, out: expect.stringMatching(/\.rouse\n {2}entity +\d+ /) })
    const gone = await rouse(["start", "a.ts", "--port", "0"], { cwd: place.path, env })
    expect(gone).toMatchObject({ code: 1, err: expect.stringContaining("was moved to") })
    await using third = await served(place.path, ["start", "a.ts"])
    await until(async () => (await textFrom(third, "/worker/down", "-1")).includes("down is done"))
    expect(await textFrom(third, "/assistant/one", offset)).toContain("again")
    await approveOf(third, "/assistant/asks2")
    await until(async () => (await textFrom(third, "/assistant/asks2", "-1")).includes("wiped it"))
    await third.rouse("retry", "/fragile/dead2")
    await until(async () => (await textFrom(third, "/fragile/dead2", "-1")).includes("fine"))
    await ticksOn(third)
    expect((await third.rouse("send", "/assistant/forked", "both")).out).toBe("You said: both\n")
    const ledger = readFileSync(at("ledger"), "utf8").trim().split("\n").sort()
    expect(ledger).toEqual(["down first", "down second", "up first", "up second", "wiped", "wiped"])
  })

  test("what is typed wrongly names the flag, and shows no password", async () => {
    await using place = await directory()
    const say = async (...words: string[]): Promise<string> => {
      const { code, err } = await rouse(["migrate", ...words], { cwd: place.path })
      expect(code).not.toBe(0)
      expect(err).not.toContain("hush")
      return err
    }
    expect(await say("--from", ".rouse")).toContain("--to <place>")
    expect(await say("--from", "database", "--to", "x")).toContain("--from database is what ROUSE_DATABASE_URL names")
    expect(await say("--from", "x", "--to", "mysql://u:hush@h/d")).toContain("--to must be a directory, a postgres://")
    expect(await say("--from", "postgres://u:hush@[", "--to", "x")).toContain("--from must be like postgres://")
    expect(await say("--from", "x", "--to", "y", "--wait", "soon")).toContain("--wait must be a whole number")
    expect(await say("--from", "x", "--to", "./x")).toContain("same place")
    expect(await say("--from", "none", "--to", "y")).toMatch(/there is no store in .*none/)
    expect(await say("--from", "x", "--to", "postgres://u:hush@127.0.0.1:1/d")).toMatch(/127\.0\.0\.1:1\/d|no store/)
  })
})

function failed({ code, err }: { readonly code: number | null; readonly err: string }): void {
  if (code !== 0) throw new Error(err)
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = Date.now() + WAIT_MS_MAX
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error(`it did not come to be: ${holds.toString()}`)
    await pause(50)
  }
}

async function read(server: Served, url: string, offset: string): Promise<Response> {
  const answer = await fetch(`${server.url}/v1/stream/entities${url}?offset=${offset}`)
  if (!answer.ok) throw new Error(await answer.text())
  return answer
}

async function offsetAfter(server: Served, url: string): Promise<string> {
  return (await read(server, url, "-1")).headers.get("stream-next-offset") ?? ""
}

async function textFrom(server: Served, url: string, offset: string): Promise<string> {
  return (await read(server, url, offset)).text()
}

async function approveOf(server: Served, url: string): Promise<void> {
  const { approvals } = (await (await fetch(`${server.url}/v1/approvals`)).json()) as {
    readonly approvals: readonly {
      readonly entity: string
      readonly approval: { readonly id: string; readonly call?: string }
    }[]
  }
  const one = approvals.find(({ entity }) => entity === url)
  failed(await server.rouse("approve", url, one?.approval.call ?? one?.approval.id ?? ""))
}

async function ticksOn(server: Served): Promise<void> {
  const ticks = async (): Promise<number> => (await textFrom(server, "/fragile/timed", "-1")).split("tick").length
  const before = await ticks()
  await until(async () => (await ticks()) > before)
}
