/** What the benches run on `rouse start`. */
import { defineEntity, type EntityDefinition, tool, workerTool } from "@rouse/agents"
import { setTimeout as pause } from "node:timers/promises"
import { z } from "zod"

/** The least agent: the offline model answers with the last message. */
export const echo: EntityDefinition = defineEntity("echo", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

/** The same, replying with when its handler was entered: the machine's monotonic clock, which all its processes share, in nanoseconds. */
export const started: EntityDefinition = defineEntity("started", {
  async handler(ctx) {
    const at = process.hrtime.bigint().toString()
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo" })
    await ctx.agent.run()
    ctx.reply(at)
  },
})

/** What a model's time does to a server: it is mostly waited for, by so many wakes at once in each process. */
const THINKING_MS = 100
export const thinking: EntityDefinition = defineEntity("thinking", {
  concurrency: 16,
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo" })
    await pause(THINKING_MS)
    await ctx.agent.run()
  },
})

/** Replies with the bytes that its server's process holds on to: what is left on the heap, and outside it, by a full collection. */
export const memory: EntityDefinition = defineEntity("memory", {
  handler(ctx) {
    if (globalThis.gc === undefined) throw new Error("start the server with --expose-gc")
    globalThis.gc()
    const { heapUsed, external } = process.memoryUsage()
    ctx.reply(heapUsed + external)
  },
})

const pay = tool({
  name: "pay",
  description: "Pays",
  input: z.object({}),
  effect: "once",
  approval: { deadlineMs: 30 * 24 * 3_600_000 },
  execute: () => "paid",
})
const build = workerTool({ name: "build", description: "Builds", input: z.object({}), effect: "pure" })

/** Waits for a person or a worker, as it is told. */
export const waiter: EntityDefinition = defineEntity("waiter", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a bench.", model: "rouse/echo", tools: [pay, build] })
    await ctx.agent.run()
  },
})
