import { DurableStream } from "@durable-streams/client"
import { createStateSchema } from "@durable-streams/state"
import { createStreamDB } from "@durable-streams/state/db"
import { expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import { serveStreams } from "./serve.ts"

/** A StreamDB that materialises a stream of ours. */

const schema = createStateSchema({
  messages: { schema: z.object({ id: z.string(), text: z.string() }), type: "message", primaryKey: "id" },
})

test.each(["long-poll", "sse"] as const)(
  "State Protocol: a StreamDB shows what is there and what comes, by %s",
  async (live) => {
    const served = await serveStreams({ longPollMs: 500 })
    onTestFinished(() => served.close())
    const url = `${served.url}/v1/stream/state`
    const writer = await DurableStream.create({ url, contentType: "application/json" })
    const write = (event: unknown): Promise<void> => writer.append(JSON.stringify(event))
    await write(schema.messages.insert({ value: { id: "a", text: "one" } }))
    await write(schema.messages.insert({ value: { id: "b", text: "two" } }))
    await write(schema.messages.update({ value: { id: "a", text: "ONE" } }))

    const db = createStreamDB({ streamOptions: { url, contentType: "application/json" }, state: schema, live })
    try {
      await db.preload()
      const rows = (): unknown[] =>
        [...db.collections.messages.values()]
          .map(({ id, text }) => ({ id, text }))
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      expect(rows()).toEqual([
        { id: "a", text: "ONE" },
        { id: "b", text: "two" },
      ])
      await write(schema.messages.delete({ key: "b" }))
      await write(schema.messages.insert({ value: { id: "c", text: "three" } }))
      await vi.waitFor(
        () =>
          expect(rows()).toEqual([
            { id: "a", text: "ONE" },
            { id: "c", text: "three" },
          ]),
        { timeout: 10_000 },
      )
    } finally {
      db.close()
    }
    expect(served.errors).toEqual([])
  },
)
