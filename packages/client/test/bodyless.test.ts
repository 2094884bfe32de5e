import { defineEntity } from "@rouse/agents"
import { expect, test } from "vitest"
import { applyChange, applyChanges, createClient, emptyTimeline } from "../src/index.ts"
import { bodylessFetch, serve } from "./real-server.ts"

/** Everything works, if later, where `fetch` has no bodies to stream. */

const assistant = defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

test.each([["found out", {}] as const, ["told", { streaming: false }] as const])(
  "logs are read by long-polling and replies from the log: %s",
  async (_, options) => {
    const { url } = await serve([assistant])
    const client = createClient({ url, fetch: bodylessFetch, random: () => 0, ...options })
    await client.spawn("/assistant/one", { message: "hello" })
    const abort = new AbortController()
    const watching = (async () => {
      let timeline = emptyTimeline()
      for await (const { events } of client.observe("/assistant/one", { signal: abort.signal, snapshot: true })) {
        timeline = applyChanges(timeline, events)
        const messages = timeline.items.filter((item) => item.kind === "message")
        if (messages.length === 3 && timeline.run?.status === "completed" && timeline.pending.length === 0) break
      }
      return timeline
    })()
    expect(await client.ask("/assistant/one", "two")).toMatchObject({ status: "processed" })
    let told = emptyTimeline()
    const kinds = new Set<string>()
    for await (const event of client.stream("/assistant/one", "three")) {
      kinds.add(event.kind)
      if (event.kind === "change") told = applyChange(told, event.event)
    }
    expect([...kinds]).toEqual(["accepted", "change", "settled"])
    expect(told.items.map((item) => item.kind)).toEqual(["message", "step", "runEnd"])
    const kindsSeen = (await watching).items.map((item) => item.kind)
    expect(kindsSeen.filter((kind) => kind === "runEnd")).toHaveLength(3)
    abort.abort()
  },
)

test("a watched list is asked for again, and told when it changed", async () => {
  const slept: number[] = []
  const sleep = async (ms: number): Promise<void> => {
    slept.push(ms)
    if (slept.length === 2) await client.spawn("/assistant/two")
  }
  const client = await serve([assistant], { streaming: false, clock: { nowMs: Date.now, sleep } })
  await client.spawn("/assistant/one")
  const seen: string[][] = []
  const abort = new AbortController()
  for await (const event of client.watch({ type: "assistant" }, { signal: abort.signal })) {
    if (event.kind === "page") seen.push(event.page.entities.map((entity) => entity.url).sort())
    if (seen.length === 2) abort.abort()
  }
  expect(seen).toEqual([["/assistant/one"], ["/assistant/one", "/assistant/two"]])
  expect(slept.slice(0, 2)).toEqual([3_000, 3_000])
})
