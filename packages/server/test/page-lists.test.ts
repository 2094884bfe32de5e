import { defineEntity } from "@rouse/agents"
import type { ChangeEvent, EntityPage, KeyList, LogPage, Row, SchedulePage, UsageReport } from "@rouse/protocol"
import { afterEach, describe, expect, test } from "vitest"
import { z } from "zod"
import { adminToken, digestOf } from "../src/http/tokens.ts"
import { Harness, type HarnessOptions } from "./harness.ts"

/** What a page over all agents reads: lists in pages, filtered where the rows are. */

const open: Harness[] = []
async function harnessOf(options: HarnessOptions): Promise<Harness> {
  const harness = await Harness.open(options)
  open.push(harness)
  return harness
}
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

const keeper = defineEntity("keeper", {
  state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  handler(ctx, wake) {
    for (const { content } of wake.messages) ctx.state.notes.insert({ id: String(content), text: String(content) })
    ctx.reply("kept")
  },
})
const talker = defineEntity("talker", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

describe("an entity's log, from its end", () => {
  async function kept(): Promise<Harness> {
    const harness = await harnessOf({ entities: [keeper] })
    await harness.spawn("/keeper/one")
    for (const note of ["a", "b", "c", "d"]) await harness.ask("/keeper/one", note)
    return harness
  }
  const page = async (harness: Harness, query = ""): Promise<LogPage> => {
    const { status, body } = await harness.call<LogPage>("GET", `/v1/entities/keeper/one/log${query}`)
    expect(status).toBe(200)
    return body
  }

  test("is the log, in pages that neither miss nor repeat", async () => {
    const harness = await kept()
    const events: ChangeEvent[] = []
    let query = "?limit=3"
    for (;;) {
      const { batches, before } = await page(harness, query)
      events.unshift(...batches.flatMap((batch) => batch.events))
      if (before === undefined) break
      query = `?limit=3&before=${before}`
    }
    expect(events).toEqual(await harness.log("/keeper/one"))
  })

  test("tells offsets at which the state can be seen, and a fork be made", async () => {
    const harness = await kept()
    const { batches } = await page(harness, "?collection=notes")
    expect(batches).toHaveLength(4)
    for (const [index, { offset }] of batches.entries()) {
      const { body } = await harness.call<{ rows: Row[] }>(
        "GET",
        `/v1/entities/keeper/one/state/notes?at=${offset}&ordered=true`,
      )
      expect(body.rows.map(({ key }) => key)).toEqual(["a", "b", "c", "d"].slice(0, index + 1))
    }
    const fork = await harness.call("POST", "/v1/entities/keeper/one/fork", { id: "two", at: batches[1]?.offset })
    expect(fork.status).toBe(201)
    expect((await harness.rows("/keeper/two", "notes")).map(({ key }) => key)).toEqual(["a", "b"])
    const forked = await harness.call<LogPage>("GET", "/v1/entities/keeper/two/log?collection=notes")
    expect(forked.body.batches.flatMap(({ events }) => events.map(({ key }) => key))).toEqual(["a", "b"])
  })

  test("shows the history of a row", async () => {
    const harness = await kept()
    const { batches } = await page(harness, "?collection=notes&key=c")
    expect(batches.flatMap(({ events }) => events)).toMatchObject([{ type: "notes", key: "c" }])
  })

  test.each(["limit=0", "limit=2000", "limit=x", "before=nonsense", "collections=notes"])(
    "refuses %s",
    async (query) => {
      const harness = await kept()
      const { status, body } = await harness.call<{ code: string }>("GET", `/v1/entities/keeper/one/log?${query}`)
      expect([status, body.code]).toEqual(query.startsWith("before") ? [400, "BAD_OFFSET"] : [422, "INVALID_ARGS"])
    },
  )

  test("of nobody is none", async () => {
    const harness = await harnessOf({ entities: [keeper] })
    expect((await harness.call("GET", "/v1/entities/keeper/none/log")).status).toBe(404)
  })
})

describe("schedules of all agents", () => {
  test("come in the order in which they are due, page by page, of one type when asked", async () => {
    const harness = await harnessOf({ entities: [keeper, talker] })
    for (const [url, minutes] of [
      ["/keeper/a", 3],
      ["/talker/b", 1],
      ["/keeper/c", 2],
    ] as const) {
      await harness.spawn(url)
      await harness.call("POST", `/v1/entities${url}/schedules`, { name: "s", every: minutes * 60_000, message: "go" })
    }
    await harness.call("POST", "/v1/entities/keeper/a/messages", { content: "later", afterMs: 30_000 })
    const get = async (query: string) => (await harness.call<SchedulePage>("GET", `/v1/schedules${query}`)).body
    const all = await get("")
    expect(all.schedules.map(({ url }) => url)).toEqual(["/keeper/a", "/talker/b", "/keeper/c", "/keeper/a"])
    expect(all.schedules[0]).toMatchObject({ content: "later" })
    expect(all.schedules[1]).toMatchObject({ name: "s", rule: { every: 60_000 } })
    const urls: string[] = []
    for (let query = "?limit=1", n = 0; n < 9; n++) {
      const { schedules, next } = await get(query)
      urls.push(...schedules.map(({ url }) => url))
      if (next === undefined) break
      query = `?limit=1&after=${encodeURIComponent(next)}`
    }
    expect(urls).toEqual(all.schedules.map(({ url }) => url))
    expect((await get("?type=talker")).schedules.map(({ url }) => url)).toEqual(["/talker/b"])
    expect((await harness.call("GET", "/v1/schedules?after=x")).status).toBe(400)
    for (const bad of ["limit=0", "kind=cron"])
      expect((await harness.call("GET", `/v1/schedules?${bad}`)).status).toBe(422)
  })
})

describe("the list of agents", () => {
  test("is searched by the words of an address, together with what else narrows it", async () => {
    const harness = await harnessOf({ entities: [keeper, talker] })
    for (const url of ["/keeper/order-7", "/keeper/Order_8", "/talker/order-7b", "/talker/other"])
      await harness.spawn(url)
    const urls = async (query: string): Promise<string[]> =>
      (await harness.call<EntityPage>("GET", `/v1/entities?${query}`)).body.entities.map(({ url }) => url).sort()
    expect(await urls("text=order")).toEqual(["/keeper/Order_8", "/keeper/order-7", "/talker/order-7b"])
    expect(await urls("text=order&type=keeper")).toEqual(["/keeper/Order_8", "/keeper/order-7"])
    expect(await urls("text=7%20ORDER")).toEqual(["/keeper/order-7", "/talker/order-7b"])
    expect(await urls("text=order_")).toEqual(["/keeper/Order_8"])
    expect(await urls("text=%25")).toEqual([])
    expect((await harness.call("GET", `/v1/entities?text=${"a".repeat(300)}`)).status).toBe(422)
    expect((await harness.call("GET", `/v1/entities?text=${"a%20".repeat(20)}`)).status).toBe(422)
  })
})

describe("spend over time", () => {
  test("sums up to the groups, period by period", async () => {
    const harness = await harnessOf({ entities: [talker] })
    for (const id of ["a", "b"]) {
      await harness.spawn(`/talker/${id}`)
      await harness.ask(`/talker/${id}`, "/say hi")
    }
    const { body } = await harness.call<UsageReport>("GET", "/v1/usage?by=entity&times=true")
    expect(body.times).toHaveLength(2)
    expect(body.times?.map(({ calls }) => calls)).toEqual([1, 1])
    expect(body.times?.[0]?.period).toMatch(/^\d{4}-\d\d-\d\dT\d\d$/)
    expect((await harness.call<UsageReport>("GET", "/v1/usage")).body.times).toBeUndefined()
    expect((await harness.call("GET", "/v1/usage?times=yes")).status).toBe(422)
  })
})

describe("keys", () => {
  test("are told by name and scope, to those who may do anything", async () => {
    const secret = "a-secret-of-the-reader"
    const tokens = [
      adminToken("boss", "a-secret-of-the-boss"),
      { name: "eye", digest: digestOf(secret), scope: "read" },
    ]
    const harness = await harnessOf({ entities: [], tokens: tokens as HarnessOptions["tokens"] & object })
    const as = (token: string) =>
      harness.call<KeyList>("GET", "/v1/keys", undefined, { authorization: `Bearer ${token}` })
    expect((await as("a-secret-of-the-boss")).body.keys).toEqual([
      { name: "boss", scope: "admin" },
      { name: "eye", scope: "read" },
    ])
    expect((await as(secret)).status).toBe(403)
  })
})
