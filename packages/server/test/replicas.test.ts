import { createHmac } from "node:crypto"
import { defineEntity, type EntityDefinition } from "@rouse/agents"
import type { EntityDetail, Settled, WakeRow } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, type PostgresDatabase, sharedPostgres } from "@rouse/testkit/postgres"
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest"
import type { Limits, Log } from "../src/index.ts"
import { silentLog } from "../src/index.ts"
import { Harness } from "./harness.ts"

/** Several servers on one database, none of them special. */

vi.setConfig({ testTimeout: 60_000 })
const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let schemas = 0
const open: { readonly harness: Harness; readonly store: Store }[] = []
const ENV = { HOOK_SECRET: "secret-of-the-hooks" }
const complaints: string[] = []
const log: Log = {
  ...silentLog,
  error: (message, fields) => complaints.push(`${message} ${JSON.stringify(fields)}`),
}

beforeAll(async () => {
  server = await sharedPostgres()
})
afterEach(async () => {
  for (const { harness, store } of open.splice(0)) {
    await harness.stop()
    await store.close()
  }
  expect(complaints.splice(0)).toEqual([])
})
afterAll(() => server.close())

async function replicas(
  count: number,
  entitiesOf: (n: number) => readonly EntityDefinition[],
  limitsOf: (n: number) => Partial<Limits> = () => ({}),
): Promise<readonly Harness[]> {
  schemas += 1
  const schema = `servers_${schemas}`
  const harnesses: Harness[] = []
  for (let n = 0; n < count; n += 1) {
    const store = await openPostgresStore({ url: server.url, schema, clock: Date.now })
    const harness = await Harness.open({ entities: entitiesOf(n), store, limits: limitsOf(n), log, env: ENV })
    open.push({ harness, store })
    harnesses.push(harness)
  }
  const stores = open.map(({ store }) => store)
  await vi.waitFor(async () => {
    for (const store of stores) expect((await store.replicas?.live())?.length).toBe(count)
  })
  return harnesses
}

const at = (harnesses: readonly Harness[], n: number): Harness => {
  const harness = harnesses[n % harnesses.length]
  if (harness === undefined) throw new Error("there is no server")
  return harness
}

async function wakes(harness: Harness, url: string): Promise<readonly WakeRow[]> {
  const events = await harness.log(url)
  return events.filter(({ type }) => type === "wake").map(({ value }) => value as unknown as WakeRow)
}

real("replicas", () => {
  test("whichever is asked, each message is answered once, and whoever waits is told by any", async () => {
    const ran: number[] = []
    const types = (n: number) => [
      defineEntity("echo", {
        handler: (ctx, wake) => {
          ran.push(...wake.messages.map(() => n))
          ctx.reply(wake.messages.map(({ content }) => content))
        },
      }),
    ]
    const all = await replicas(3, types)
    for (let n = 0; n < 3; n += 1) await at(all, n).spawn(`/echo/a${n}`)
    const asked = Array.from({ length: 45 }, (_, n) => at(all, n * 7 + Math.floor(n / 3)).ask(`/echo/a${n % 3}`, n))
    const settled = await Promise.all(asked)
    expect(settled.map(({ status }) => status)).toEqual(settled.map(() => "processed"))
    expect(ran.length).toBe(45)
  })

  test("what one has no room for, another takes at once", async () => {
    const ran: number[] = []
    const types = (n: number) => [
      defineEntity("slow", {
        handler: async (ctx) => {
          ran.push(n)
          await new Promise((resolve) => setTimeout(resolve, 30))
          ctx.reply(n)
        },
      }),
    ]
    const all = await replicas(3, types, (n) => ({ wakesMax: [1, 4, 8][n] ?? 1 }))
    const first = at(all, 0)
    const asks = Array.from({ length: 60 }, async (_, n): Promise<Settled> => {
      await first.spawn(`/slow/s${n}`)
      return await first.ask(`/slow/s${n}`, "go")
    })
    const settled = await Promise.all(asks)
    expect(settled.every(({ status }) => status === "processed")).toBe(true)
    const shares = [0, 1, 2].map((n) => ran.filter((one) => one === n).length)
    expect(ran.length).toBe(60)
    // Whoever can do more did more; none was left out.
    expect(Math.min(...shares)).toBeGreaterThan(0)
    expect(shares[2]).toBeGreaterThan(shares[0] ?? 0)
  })

  test("a log is followed at any of them while another writes it", async () => {
    const types = () => [defineEntity("echo", { handler: (ctx, wake) => ctx.reply(wake.messages.length) })]
    const all = await replicas(3, types)
    await at(all, 0).spawn("/echo/a")
    const follow = async (harness: Harness, last: string): Promise<string> => {
      let text = ""
      for (let offset = "-1"; !text.includes(last);) {
        const url = `http://localhost/v1/stream/entities/echo/a?offset=${offset}&live=long-poll`
        const response = await harness.server.fetch(new Request(url, { headers: { host: "localhost" } }))
        expect([200, 204]).toContain(response.status)
        if (response.status === 200) text += JSON.stringify(await response.json())
        offset = response.headers.get("stream-next-offset") ?? offset
      }
      return text
    }
    const followed = [1, 2].map((n) => follow(at(all, n), "the-last-one"))
    for (let n = 0; n < 12; n += 1) await at(all, 0).ask("/echo/a", `message ${n}`)
    await at(all, 0).ask("/echo/a", "the-last-one")
    for (const text of await Promise.all(followed)) {
      const places = Array.from({ length: 12 }, (_, n) => text.split(`"message ${n}"`).length - 1)
      expect(places).toEqual(places.map(() => places[0]))
      expect(places[0]).toBeGreaterThan(0)
    }
  })

  test("what is set at one holds at the others once it is answered", async () => {
    const all = await replicas(3, () => [])
    const source = { kind: "github", secrets: ["HOOK_SECRET"] }
    const sign = (body: string) => `sha256=${createHmac("sha256", ENV.HOOK_SECRET).update(body).digest("hex")}`
    const send = (n: number, body: string) =>
      at(all, n).call<{ status: unknown }>("POST", "/v1/webhooks/gh", body, {
        "content-type": "application/json",
        "x-github-event": "push",
        "x-github-delivery": body,
        "x-hub-signature-256": sign(body),
      })
    for (let n = 0; n < 6; n += 1) {
      const type = `t${n}`
      await at(all, n).call("PUT", `/v1/types/${type}`, { dispatch: { kind: "pull" } })
      expect((await at(all, n + 1).spawn(`/${type}/a`)).status).toBe(201)
      const { body } = await at(all, n + 2).call<{ types: unknown[] }>("GET", "/v1/types")
      expect(body.types).toHaveLength(n + 1)
      expect((await at(all, n).call("PUT", "/v1/webhook-sources/gh", source)).status).toBe(201)
      const copies = await Promise.all(Array.from({ length: 12 }, (_, copy) => send(n + copy, `{"n":${n}}`)))
      const outcomes = copies.map((copy) => String(copy.body.status)).toSorted()
      expect(outcomes).toEqual(["accepted", ...Array.from({ length: 11 }, () => "duplicate")])
      expect((await at(all, n + 1).call("DELETE", "/v1/webhook-sources/gh")).status).toBe(204)
      expect((await send(n + 2, `{"late":${n}}`)).status).toBe(404)
    }
  })

  test("a run is interrupted by whichever is told", async () => {
    const begun = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<unknown>()
    const types = (n: number) => [
      defineEntity("long", {
        handler: async (ctx) => {
          if (n !== 0) return ctx.reply("done")
          begun.resolve()
          await new Promise<void>((resolve) => ctx.signal.addEventListener("abort", () => resolve(), { once: true }))
          aborted.resolve(ctx.signal.reason)
          throw ctx.signal.reason
        },
      }),
    ]
    const all = await replicas(2, types)
    await at(all, 0).spawn("/long/a")
    await at(all, 0).call("POST", "/v1/entities/long/a/messages", { content: "go" })
    await begun.promise
    await at(all, 1).call("POST", "/v1/entities/long/a/signals", { signal: "kill" })
    expect(await aborted.promise).toMatchObject({ code: "STOPPED" })
    const { body } = await at(all, 0).call<EntityDetail>("GET", "/v1/entities/long/a")
    expect(body.status).toBe("stopped")
  })

  test("one that shuts down hands its wakes over at once", async () => {
    const begun = new Set<string>()
    const types = (n: number) => [
      defineEntity("stuck", {
        handler: async (ctx) => {
          begun.add(ctx.entity.id)
          if (n === 0)
            return await new Promise<void>((_, reject) =>
              ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason), { once: true }),
            )
          ctx.reply(n)
        },
      }),
    ]
    const all = await replicas(3, types)
    const urls = Array.from({ length: 6 }, (_, n) => `/stuck/s${n}`)
    const asks = urls.map(async (url) => {
      await at(all, 0).spawn(url)
      await at(all, 0).call("POST", `/v1/entities${url}/messages`, { content: "go" })
    })
    await Promise.all(asks)
    await vi.waitFor(() => expect(begun.size).toBe(6))
    await at(all, 0).stop()
    const isDone = async () => {
      const details = await Promise.all(urls.map((url) => at(all, 1).call<EntityDetail>("GET", `/v1/entities${url}`)))
      expect(details.map(({ body }) => body.status)).toEqual(urls.map(() => "idle"))
    }
    await vi.waitFor(isDone, { timeout: 10_000 })
    for (const url of urls) expect((await wakes(at(all, 2), url)).map(({ outcome }) => outcome)).toContain("released")
  })

  test("a wake of a server whose session ended without a word is taken over, well before the lease ends", async () => {
    const begun = Promise.withResolvers<void>()
    const types = (n: number) => [
      defineEntity("stuck", {
        handler: async (ctx) => {
          begun.resolve()
          if (n === 0) await new Promise<never>(() => undefined)
          ctx.reply(n)
        },
      }),
    ]
    const all = await replicas(3, types)
    await at(all, 0).spawn("/stuck/a")
    await at(all, 0).call("POST", "/v1/entities/stuck/a/messages", { content: "go" })
    await begun.promise
    // Its database connections end, and nothing is said: as when its process is killed.
    await open[0]?.store.close()
    await vi.waitFor(
      async () => {
        const { body } = await at(all, 2).call<EntityDetail>("GET", "/v1/entities/stuck/a")
        expect(body.status).toBe("idle")
      },
      { timeout: 15_000 },
    )
    expect((await wakes(at(all, 1), "/stuck/a")).map(({ outcome }) => outcome)).toContain("lost")
    complaints.length = 0
    await at(all, 0).stop()
    complaints.length = 0
  })
})
