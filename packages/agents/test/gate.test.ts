import { expect, test } from "vitest"
import { z } from "zod"
import { Gate } from "../src/gate.ts"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const NEVER = new AbortController().signal

test("a tool runs as often at once as it says, and every call gets its turn", async () => {
  const [busy, seen]: [number[], string[]] = [[0, 0], []]
  const narrow = tool({
    name: "narrow",
    description: "Takes a while",
    input: z.object({ id: z.string() }),
    effect: "idempotent",
    concurrency: 2,
    async execute({ id }) {
      busy[0] = (busy[0] ?? 0) + 1
      busy[1] = Math.max(busy[1] ?? 0, busy[0])
      await new Promise((resolve) => setTimeout(resolve, 2))
      busy[0] -= 1
      seen.push(id)
      if (id === "c") throw new Error("one that fails gives its room back too")
      return id
    },
  })
  const ids = ["a", "b", "c", "d", "e", "f", "g"]
  const model = scriptedModel([{ calls: ids.map((id) => ({ tool: "narrow", input: { id } })) }, "Done."])
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "Work.", model, tools: [narrow] })
      await ctx.agent.run()
    },
  })
  const rouse = createTestRouse({ entities: [agent] })
  await rouse.spawn("/agent/one")
  expect(await rouse.ask("/agent/one", "go")).toBe("Done.")
  expect(seen.toSorted()).toEqual(ids)
  expect(busy[1]).toBe(2)
})

test("who is aborted while waiting leaves the queue, and the room goes to the next", async () => {
  const gate = new Gate(1)
  const leave = await gate.enter(NEVER)
  const [impatient, order] = [new AbortController(), [] as string[]]
  const gone = gate.enter(impatient.signal)
  const second = gate.enter(NEVER).then((done) => (order.push("second"), done))
  const third = gate.enter(NEVER).then((done) => (order.push("third"), done))
  impatient.abort(new Error("no more"))
  await expect(gone).rejects.toThrow("no more")
  leave()
  leave()
  ;(await second)()
  ;(await third)()
  expect(order).toEqual(["second", "third"])
  await expect(gate.enter(impatient.signal)).rejects.toThrow("no more")
})

test("a concurrency that makes no sense is refused", () => {
  const options = { name: "x", description: "", input: z.object({}), effect: "pure", execute: () => 1 } as const
  expect(() => tool({ ...options, concurrency: 0 })).toThrow(/concurrency must be a positive whole number/)
})
