import { defineEntity, workerTool } from "@rouse/agents"
import type { ToolCallRow } from "@rouse/protocol"
import { createServer, silentLog } from "@rouse/server"
import { openMemoryStore } from "@rouse/store"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { createClient, RouseError } from "../src/index.ts"
import type { Client } from "../src/index.ts"
import { createToolWorker } from "../src/worker.ts"
import type { ToolWorker, ToolWorkerOptions } from "../src/worker.ts"

/** Tool workers against the real server, over HTTP. */

type Options = Partial<Parameters<typeof workerTool>[0]>

function agent(options: Options = {}) {
  return defineEntity("builder", {
    async handler(ctx) {
      const build = workerTool({
        name: "build",
        description: "Builds",
        input: z.object({ ref: z.string() }),
        output: z.object({ size: z.number() }),
        effect: "pure",
        heartbeat: 1_000,
        ...options,
      })
      ctx.useAgent({ systemPrompt: "Build.", model: "rouse/echo", tools: [build] })
      await ctx.agent.run()
    },
  })
}

async function serve(options: Options = {}): Promise<Client> {
  const store = await openMemoryStore({ clock: Date.now })
  const host = { clock: Date.now, random: Math.random, log: silentLog }
  const defer = (ms: number, fn: () => void) => {
    const timer = setTimeout(fn, ms)
    return () => clearTimeout(timer)
  }
  const server = createServer({ store, entities: [agent(options)], defer, host, ...host })
  await server.start()
  const listening = await server.listen({ host: "127.0.0.1", port: 0 })
  onTestFinished(async () => {
    await listening.close(0)
    await server.close({ graceMs: 100 })
    await store.close()
  })
  const client = createClient({ url: listening.url })
  await client.spawn("/builder/a")
  return client
}

function work(client: Client, tools: ToolWorkerOptions["tools"], options: Partial<ToolWorkerOptions> = {}): ToolWorker {
  const worker = createToolWorker({ server: client.url, name: "w", tools, ...options })
  onTestFinished(() => worker.close({ graceMs: 50 }))
  return worker
}

const lastCall = async (client: Client): Promise<ToolCallRow> =>
  (await client.state("/builder/a", "tool_call")).rows.at(-1)?.value as unknown as ToolCallRow

const CALL = '/call build {"ref":"main"}\n/then\n/say built'
const ref = (input: { ref: string }) => input.ref

test("runs calls, says how far they are, and goes on", async () => {
  const client = await serve()
  const seen: unknown[] = []
  work(client, {
    build: async (input: { ref: string }, { idempotencyKey, attempt, progress, heartbeat }) => {
      seen.push([ref(input), idempotencyKey !== "", attempt])
      progress({ message: "half", fraction: 0.5 })
      await heartbeat()
      return { size: 7 }
    },
  })
  expect(await client.ask("/builder/a", CALL)).toMatchObject({ status: "processed", reply: "built" })
  expect(await lastCall(client)).toMatchObject({ status: "done", output: { size: 7 }, worker: { name: "w" } })
  expect(seen).toEqual([["main", true, 1]])
  expect((await client.ask("/builder/a", CALL)).reply).toBe("built")
})

test("a call that takes longer than its lease lives by heartbeats", async () => {
  const client = await serve()
  work(client, {
    build: async (_: unknown, { attempt }) => {
      await new Promise((resolve) => setTimeout(resolve, 1_600))
      return { size: attempt }
    },
  })
  await client.ask("/builder/a", CALL)
  expect(await lastCall(client)).toMatchObject({ status: "done", output: { size: 1 }, attempts: 1 })
})

test("what throws, what cannot be JSON, and what the schema refuses are told to the model", async () => {
  const client = await serve()
  const answers: (() => unknown)[] = [
    () => {
      throw new Error("no disk")
    },
    () => 1n,
    () => ({ size: "big" }),
  ]
  work(client, { build: () => answers.shift()?.() })
  const errors: (string | undefined)[] = []
  for (let n = 0; n < 3; n++) {
    await client.ask("/builder/a", CALL)
    const call = await lastCall(client)
    expect(call.status).toBe("failed")
    errors.push(call.error)
  }
  expect(errors[0]).toBe("no disk")
  expect(errors[1]).toMatch(/BigInt/)
  expect(errors[2]).toMatch(/output\.size/)
})

test("a cancelled call is aborted at the worker", async () => {
  const client = await serve()
  let begun = (): void => undefined
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const aborted = new Promise<unknown>((resolve) => {
    work(client, {
      build: (_: unknown, { signal }) => {
        begun()
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            resolve(signal.reason)
            reject(new Error("aborted"))
          })
        })
      },
    })
  })
  const asked = client.ask("/builder/a", CALL)
  await running
  await client.signal("/builder/a", "interrupt")
  expect((await asked).status).toBe("cancelled")
  expect(await aborted).toMatchObject({ code: "INTERRUPTED" })
})

test("a worker that closes finishes what it has, or gives it to another", async () => {
  const client = await serve()
  let begun = (): void => undefined
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const first = work(client, {
    build: () => {
      begun()
      return new Promise(() => undefined)
    },
  })
  const asked = client.ask("/builder/a", CALL)
  await running
  expect(first.active).toBe(1)
  await first.close({ graceMs: 20 })
  expect(first.active).toBe(0)
  work(client, { build: async () => ({ size: 2 }) }, { name: "second" })
  expect((await asked).status).toBe("processed")
  expect(await lastCall(client)).toMatchObject({
    status: "done",
    attempts: 2,
    worker: { name: "second" },
    resolved: "again",
  })
})

test("a reconcilable call is asked about first", async () => {
  const client = await serve({ effect: "reconcilable" })
  const ran: string[] = []
  const lost = work(client, {
    build: (_: unknown, { idempotencyKey }) => {
      ran.push(idempotencyKey)
      return new Promise(() => undefined)
    },
  })
  const asked = client.ask("/builder/a", CALL)
  while (ran.length === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  await lost.close({ graceMs: 0 })
  const reconcile = (_: unknown, { idempotencyKey }: { idempotencyKey: string }) =>
    ran.includes(idempotencyKey) ? { size: 9 } : undefined
  work(client, { build: { execute: () => ran.push("again"), reconcile, capacity: 1 } })
  expect((await asked).status).toBe("processed")
  expect(await lastCall(client)).toMatchObject({ status: "done", output: { size: 9 }, resolved: "reconciled" })
  expect(ran).toHaveLength(1)
})

test("options that are wrong are named", () => {
  const server = "http://127.0.0.1:1"
  const make = (options: object) => () => createToolWorker({ server, tools: { a: () => 1 }, ...options })
  expect(make({ tools: {} })).toThrow(/tools/)
  expect(make({ tools: { a: 1 } })).toThrow(/tools\.a/)
  expect(make({ capacity: 0 })).toThrow(/capacity/)
  expect(make({ queues: [] })).toThrow(/queues/)
  expect(make({ server: "nowhere" })).toThrow(RouseError)
})
