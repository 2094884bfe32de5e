import { defineEntity, tool } from "@rouse/agents"
import {
  type ChangeEvent,
  entityStreamPath,
  type Effect,
  type MessageRow,
  type RunRow,
  START,
  type ToolCallRow,
} from "@rouse/protocol"
import { parseJson } from "@rouse/store"
import { afterEach, beforeEach, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

/** Executions by idempotency key. */
let executed: Map<string, { readonly effect: Effect; count: number }>
let sent: string[]
let harness: Harness

const acts = (["pure", "idempotent", "reconcilable", "once"] as const).map((effect) =>
  tool({
    name: effect,
    description: effect,
    input: z.object({}),
    effect,
    execute: (_input, { idempotencyKey }) => {
      const known = executed.get(idempotencyKey) ?? { effect, count: 0 }
      executed.set(idempotencyKey, { effect, count: known.count + 1 })
      return effect
    },
    ...(effect === "reconcilable"
      ? {
          reconcile: (_i: unknown, c: { idempotencyKey: string }) =>
            executed.has(c.idempotencyKey) ? effect : undefined,
        }
      : {}),
  }),
)

const worker = defineEntity("worker", {
  async handler(ctx) {
    ctx.send("/sink/a", `from ${ctx.entity.id}`)
    await ctx.commit()
    ctx.useAgent({ systemPrompt: "", model: "rouse/echo", tools: [...ctx.tools, ...acts] })
    await ctx.agent.run()
  },
})
const sink = defineEntity("sink", {
  handler: (_ctx, wake) => {
    sent.push(...wake.messages.map((message) => String(message.content)))
  },
})

beforeEach(async () => {
  executed = new Map()
  sent = []
  harness = await Harness.open({ entities: [worker, sink] })
  await harness.spawn("/sink/a")
})
afterEach(() => harness.close())

/** Where each append of a log ends. */
async function offsetsOf(url: string): Promise<readonly string[]> {
  const offsets: string[] = []
  for (let from = START; ;) {
    const { next, upToDate } = await harness.store.read(entityStreamPath(url), from, 1)
    offsets.push(next)
    if (upToDate) return offsets
    from = next
  }
}

test("wherever an agent is forked, its fork comes to an end, and does nothing again that may happen once", async () => {
  const script = [
    "/call once {}",
    "/call pure {}",
    "/call reconcilable {}",
    "/call idempotent {}",
    "/send /sink/a hello",
    "/say over",
  ]
  await harness.spawn("/worker/a")
  for (const line of script) await harness.ask("/worker/a", line)
  await harness.ask("/worker/a", "/call once {}\n/call reconcilable {}\n/then /call once {}")
  const before = new Set(executed.keys())
  const offsets = await offsetsOf("/worker/a")
  expect(offsets.length).toBeGreaterThan(20)
  for (const [i, at] of offsets.entries()) {
    const { status } = await harness.call("POST", "/v1/entities/worker/a/fork", { at, id: `f${i}`, run: true })
    expect(status).toBe(201)
  }
  for (const [i] of offsets.entries()) await over(`/worker/f${i}`)
  for (const [key, { effect, count }] of executed) {
    if (effect === "once" || effect === "reconcilable") expect([key, count]).toEqual([key, 1])
  }
  // What is new is the forks' own: calls that the original had not made at the point.
  expect([...executed.keys()].filter((key) => key.startsWith("worker/a@") && !before.has(key))).toEqual([])
  for (const [i] of offsets.entries()) await checkLog(`/worker/f${i}`)
})

async function over(url: string): Promise<void> {
  await harness.until(async () => {
    const messages = await harness.rows<MessageRow>(url, "message")
    const runs = await harness.rows<RunRow>(url, "run")
    const isOpen = messages.some((row) => row.value.status === "accepted" || row.value.status === "taken")
    return !isOpen && runs.every((row) => row.value.status === "completed")
  }, `${url} came to an end`)
}

/** Its rows are what its log amounts to, and none of its calls is open. */
async function checkLog(url: string): Promise<void> {
  const { chunks } = await harness.store.read(entityStreamPath(url), START, 100_000_000)
  const rows = new Map<string, unknown>()
  for (const { type, key, value, headers } of parseJson(chunks) as unknown as ChangeEvent[]) {
    if (["delta", "wake", "signal", "error"].includes(type)) continue
    if (headers.operation === "delete") rows.delete(`${type} ${key}`)
    else rows.set(`${type} ${key}`, value)
  }
  const live = await harness.store.rows(url)
  expect(new Map(live.map((row) => [`${row.collection} ${row.key}`, row.value]))).toEqual(rows)
  const open = live.filter(
    (row) =>
      row.collection === "tool_call" &&
      ["intended", "running", "waiting"].includes((row.value as unknown as ToolCallRow).status),
  )
  expect(open).toEqual([])
}
