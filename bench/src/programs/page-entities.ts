/** What the page is watched with. */
import { defineEntity, type EntityDefinition } from "@rouse/agents"

export { echo } from "./entities.ts"

const TEXT_ID = "text"

/** Streams words that tell when they were written, milliseconds since the Unix epoch: the message says how many, and how far apart. */
export const timed: EntityDefinition = defineEntity("timed", {
  async handler(ctx, wake) {
    const [count = 100, paceMs = 5] = String(wake.messages[0]?.content ?? "")
      .split(" ")
      .map(Number)
    ctx.useAgent({
      systemPrompt: "",
      model: {
        specificationVersion: "v4",
        provider: "bench",
        modelId: "timed",
        supportedUrls: {},
        doGenerate: () => Promise.reject(new Error("it only streams")),
        doStream: () => Promise.resolve({ stream: words(count, paceMs) }),
      },
    })
    await ctx.agent.run()
  },
})

function words(count: number, paceMs: number): ReadableStream {
  const startedAt = Date.now()
  let n = 0
  return new ReadableStream({
    start(controller) {
      controller.enqueue({ type: "stream-start", warnings: [] })
      controller.enqueue({ type: "text-start", id: TEXT_ID })
    },
    async pull(controller) {
      if (n === count) {
        controller.enqueue({ type: "text-end", id: TEXT_ID })
        const usage = { inputTokens: { total: 1 }, outputTokens: { total: count } }
        controller.enqueue({ type: "finish", finishReason: { unified: "stop", raw: undefined }, usage })
        return controller.close()
      }
      // Those that a slow timer missed come together, so that the rate holds.
      const due = startedAt + n * paceMs - Date.now()
      if (due > 0) await new Promise((resolve) => setTimeout(resolve, due))
      controller.enqueue({ type: "text-delta", id: TEXT_ID, delta: `t${Date.now()} ` })
      n++
    },
  })
}
