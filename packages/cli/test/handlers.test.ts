import { createHandler, defineEntity } from "@rouse/agents"
import { listen } from "@rouse/server/http"
import { afterAll, beforeAll, expect, test } from "vitest"
import { directory, served, start } from "./harness.ts"
import type { Served } from "./harness.ts"

const LOCAL = `import { defineEntity } from "@rouse/agents"
export const near = defineEntity("near", { handler: (ctx) => ctx.reply("near") })
`
const FAR = `import { defineEntity } from "@rouse/agents"
export const far = defineEntity("far", { description: "Far away", handler: (ctx) => ctx.reply("far") })
`

let place: Awaited<ReturnType<typeof directory>>
let server: Served

beforeAll(async () => {
  place = await directory({ "local.ts": LOCAL, "far.ts": FAR })
  server = await served(place.path, ["dev", "local.ts"])
})

afterAll(async () => {
  await server[Symbol.asyncDispose]()
  await place[Symbol.asyncDispose]()
})

/** A handler behind an address, in this process. */
async function serve(version: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const hook = defineEntity("hook", { description: "Behind a webhook", handler: (ctx) => ctx.reply(version) })
  const handler = createHandler({ entities: [hook], server: server.url, version })
  const listening = await listen((request) => handler(request), { host: "127.0.0.1", port: 0 })
  return { url: `${listening.url}/agents`, close: () => listening.close(100) }
}

test("a handler is deployed, listed, rolled back and taken away", async () => {
  const first = await serve("v1")
  const second = await serve("v2")
  try {
    expect((await server.rouse("deploy", first.url)).out).toBe("✓ hook v1 begins new runs\n")
    expect((await server.rouse("send", "/hook/a", "hi")).out).toBe("v1\n")
    expect((await server.rouse("deploy", second.url)).out).toBe("✓ hook v2 begins new runs\n")
    expect((await server.rouse("send", "/hook/a", "hi")).out).toBe("v2\n")
    expect((await server.rouse("versions", "hook", "--pin", "v1")).out).toMatch(/v2 .*\n?v1\s+all\s+http/)
    expect((await server.rouse("send", "/hook/a", "hi")).out).toBe("v1\n")
    expect((await server.rouse("deploy", second.url, "--as", "v3")).out).toBe(
      "✓ hook v3 registered; version v1 begins new runs\n",
    )
    expect((await server.rouse("versions", "hook", "--canary", "v3", "--percent", "25")).out).toMatch(
      /v3\s+25 %[^]*v1\s+75 %/,
    )
    const { out } = await server.rouse("types", "--json")
    expect(out.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]))).toMatchObject([
      { name: "hook", version: "v1", routing: { kind: "canary" }, health: { state: "ok" } },
      { name: "near", dispatch: { kind: "local" } },
    ])
    expect((await server.rouse("versions", "hook", "--remove-type")).out).toBe(
      "hook is removed; its agents wait for it\n",
    )
    await server.rouse("send", "/hook/a", "hi", "--no-wait")
    expect((await server.rouse("show", "/hook/a")).out).toContain('waits: no handler of the type "hook" is registered')
  } finally {
    await first.close()
    await second.close()
  }
})

test("what is no handler, or none that is reached, is one clear line", async () => {
  const nobody = await server.rouse("deploy", "http://127.0.0.1:9/agents")
  expect(nobody).toMatchObject({
    code: 1,
    err: expect.stringContaining("url: the handler cannot be reached: ECONNREFUSED"),
  })
  const inside = await server.rouse("deploy", "http://10.0.0.1/agents")
  expect(inside).toMatchObject({
    code: 1,
    err: expect.stringContaining("must not lead to this machine or its network"),
  })
  const own = await server.rouse("deploy", `${server.url}/v1/info`)
  expect(own.code).toBe(1)
  expect((await server.rouse("versions", "near", "--latest")).err).toContain("run by the server's own process")
  expect((await server.rouse("versions", "nope")).err).toContain('there is no entity type "nope"')
})

test("a worker runs agents for a server elsewhere, and gives back what it has when it is stopped", async () => {
  const env = { ROUSE_URL: server.url }
  const worker = start(["worker", "far.ts", "--as", "v7", "--json"], { cwd: place.path, env })
  const [line] = await worker.until("out", /^\{"server".*\}$/m)
  expect(JSON.parse(line)).toMatchObject({ server: server.url, types: ["far"] })
  await expect.poll(async () => (await server.rouse("types")).out).toMatch(/far\s+v7\s+pull\s+ok\s+latest\s+Far away/)
  expect((await server.rouse("send", "/far/a", "hi")).out).toBe("far\n")
  worker.child.kill("SIGTERM")
  expect((await worker.finished).code).toBe(0)
})

test("a worker that the server does not let in says why", async () => {
  const env = { ROUSE_URL: server.url }
  const { code, err } = await start(["worker", "local.ts"], { cwd: place.path, env }).finished
  expect(code).toBe(1)
  expect(err).toContain("near is run by the server's own process")
})
