import type { ChangeEvent } from "@rouse/protocol"
import { expect, test } from "vitest"
import { createClient } from "../src/index.ts"
import type { Client, StreamEvent } from "../src/index.ts"
import type { Answer, CannedServer } from "./canned-server.ts"
import { cannedServer, events, hangUp, instantClock, json, log, problem, sse } from "./canned-server.ts"

const receipt = { url: "/assistant/one", message: "m1", offset: "o000000" }
const settled = { ...receipt, status: "processed", run: "r000001", reply: "hello" }

function change(type: string, key: string, value: object, operation: "insert" | "update" = "insert"): ChangeEvent {
  return { type, key, value: value as never, headers: { operation } }
}

const changes: readonly ChangeEvent[] = [
  change("message", "m1", { id: "m1", status: "accepted" }),
  change("run", "r000001", { id: "r000001", status: "running" }),
  change("step", "r000001-s0001", { run: "r000001", messages: ["m1"], status: "running" }),
  change("text", "r000001-s0001-p000", { run: "r000001", step: "r000001-s0001", index: 0, text: "hello" }),
  change("run", "r000001", { id: "r000001", status: "completed", reply: "hello" }, "update"),
  change("message", "m1", { id: "m1", status: "processed", run: "r000001" }, "update"),
]

const offsetOf = (n: number): string => `o${String(n).padStart(6, "0")}`

/** What the request's own stream tells: everything, or the first `told` changes before it is cut. `perOffset` changes share one. */
function reply(told: number, perOffset = 1): Answer {
  const id = (n: number): string => offsetOf(Math.min(changes.length, Math.ceil((n + 1) / perOffset) * perOffset))
  const head =
    sse("accepted", receipt) +
    changes
      .slice(0, told)
      .map((event, n) => sse("change", event, id(n)))
      .join("")
  return told < changes.length ? events(head, "cut") : events(head + sse("settled", settled), "end")
}

/** A server whose request streams are cut after so many changes, one after the other, and whose log's live reads are cut likewise. */
function server(cuts: number[], logCuts: (number | "half")[] = [], perOffset = 1): Promise<CannedServer> {
  const readLog = log(changes, logCuts)
  return cannedServer((seen, response) => {
    if (seen.method === "GET") return readLog(seen, response)
    if (seen.query.has("wait")) return json(settled)(seen, response)
    return reply(cuts.shift() ?? changes.length, perOffset)(seen, response)
  })
}

function clientOf({ url }: CannedServer): Client {
  return createClient({ url, clock: instantClock(), random: () => 0, newKey: () => "key" })
}

async function all(stream: AsyncIterable<StreamEvent>): Promise<StreamEvent[]> {
  const told: StreamEvent[] = []
  for await (const event of stream) told.push(event)
  return told
}

const whole = ["accepted", ...changes, "settled"]

function shown(told: readonly StreamEvent[]): unknown[] {
  return told.map((event) => (event.kind === "change" ? event.event : event.kind))
}

test("tells the receipt, every change and the settled reply", async () => {
  const canned = await server([])
  const told = await all(clientOf(canned).stream("/assistant/one", "hello"))
  expect(shown(told)).toEqual(whole)
  expect(told.at(-1)).toEqual({ kind: "settled", settled })
  expect(canned.seen).toHaveLength(1)
})

test.each([0, 1, 2, 3, 4, 5])("cut after %i changes, it goes on with nothing lost or told twice", async (cut) => {
  const canned = await server([cut])
  const told = await all(clientOf(canned).stream("/assistant/one", "hello"))
  expect(shown(told)).toEqual(whole)
  const posts = canned.seen.filter((seen) => seen.method === "POST")
  expect(new Set(posts.map((seen) => seen.headers["idempotency-key"]))).toEqual(new Set(["key"]))
})

test.each([1, 2, 3, 4, 5])("changes that share an offset survive a cut after %i of them", async (cut) => {
  const canned = await server([cut], [], 3)
  const told = await all(clientOf(canned).stream("/assistant/one", "hello"))
  expect(shown(told)).toEqual(whole)
})

test("a request cut before its receipt is repeated with the same key", async () => {
  const canned = await cannedServer(hangUp, hangUp, reply(changes.length))
  const told = await all(clientOf(canned).stream("/assistant/one", "hello"))
  expect(shown(told)).toEqual(whole)
  expect(canned.seen.map((seen) => seen.headers["idempotency-key"])).toEqual(["key", "key", "key"])
})

test("survives cuts of the request, of the log, and between a batch and its offset", async () => {
  const canned = await server([1], [1, "half", 1, "half"])
  const told = await all(clientOf(canned).stream("/assistant/one", "hello"))
  expect(shown(told)).toEqual(whole)
})

test("a message that is refused is an error, not a retry", async () => {
  const canned = await cannedServer(problem("STOPPED", "/assistant/one is stopped"))
  await expect(all(clientOf(canned).stream("/assistant/one", "hello"))).rejects.toMatchObject({ code: "STOPPED" })
  expect(canned.seen).toHaveLength(1)
})

test("an abort ends it with the signal's reason", async () => {
  const canned = await cannedServer(events(sse("accepted", receipt), "open"))
  const abort = new AbortController()
  const stream = clientOf(canned).stream("/assistant/one", "hello", { signal: abort.signal })
  expect((await stream.next()).value).toEqual({ kind: "accepted", receipt })
  abort.abort(new Error("enough"))
  await expect(stream.next()).rejects.toThrow("enough")
})

test("observe reads what is there and ends when it is not live", async () => {
  const canned = await cannedServer(log(changes))
  const batches = []
  for await (const batch of clientOf(canned).observe("/assistant/one", { live: false })) batches.push(batch)
  expect(batches).toEqual([{ events: changes.slice(0, 3), offset: offsetOf(3), upToDate: true }])
})

test("observe goes on live after cuts, each change once and in order, until it is aborted", async () => {
  const canned = await cannedServer(log(changes, [1, "half", 0, 1]))
  const abort = new AbortController()
  const told: ChangeEvent[] = []
  let offset
  for await (const batch of clientOf(canned).observe("/assistant/one", { signal: abort.signal })) {
    told.push(...batch.events)
    offset = batch.offset
    if (told.length === changes.length) abort.abort()
  }
  expect(told).toEqual(changes)
  expect(offset).toBe(offsetOf(6))
})

test("observe goes on from an offset", async () => {
  const canned = await cannedServer(log(changes))
  for await (const batch of clientOf(canned).observe("/assistant/one", { from: offsetOf(4) as never })) {
    if (batch.events.length === 0) continue
    expect(batch.events[0]).toEqual(changes[4])
    break
  }
})

test("observe of an entity that does not exist is an error of the problem's code", async () => {
  const canned = await cannedServer(problem("UNKNOWN_STREAM", "no such stream"))
  const read = clientOf(canned).observe("/assistant/none").next()
  await expect(read).rejects.toMatchObject({ name: "RouseError", code: "UNKNOWN_STREAM" })
  expect(canned.seen).toHaveLength(1)
})
