import { START } from "@rouse/protocol"
import { frameJson, openStore, parseJson } from "@rouse/store"

/** A process of its own for the tests: `own` holds a directory, `load` writes to it and prints what was acknowledged, `trim` also compacts. */
const [, , mode, directory = ""] = process.argv
const ENTITIES = 8
const WRITERS = 6

const store = await openStore({ directory, clock: Date.now })
if (mode === "own") process.stdout.write("owned\n")
else if (mode === "trim") await Promise.all([count(), compact()])
else await Promise.all(Array.from({ length: WRITERS }, (_, writer) => load(writer)))

/** Appends one number after the other. */
async function count(): Promise<void> {
  const { chunks } = await store.readBack("n", (await store.stream("n"))?.next ?? START, 1)
  for (let n = Number(chunks.length === 0 ? 0 : parseJson(chunks)[0]) + 1; ; n += 1) {
    await store.commit({ ops: [{ op: "append", path: "n", data: frameJson([n]), nowMs: Date.now() }] })
    process.stdout.write(`n ${n}\n`)
  }
}

/** Trims what is more than a few batches back, with the last number that goes as what it amounts to. */
async function compact(): Promise<void> {
  for (;;) {
    const there = await store.trimmable("n", { nowMs: Date.now(), bytes: 40 })
    if (there !== undefined) {
      const { chunks } = await store.readBack("n", there.to, 1)
      await store.commit({ ops: [{ op: "trimStream", path: "n", to: there.to, data: frameJson(parseJson(chunks)) }] })
    }
    await store.sweep(Date.now())
  }
}

/** Each commit says the same thing in four tables: whatever survives must agree. */
async function load(writer: number): Promise<void> {
  for (let n = 0; ; n += 1) {
    const id = `e${(writer * 31 + n) % ENTITIES}`
    const url = `/t/${id}`
    const path = `entities/t/${id}`
    const entity = await store.entity(url)
    const count = Number(entity?.control["count"] ?? 0) + 1
    const at = Date.now()
    const record = {
      url,
      type: "t",
      id,
      status: "idle",
      epoch: 1,
      parent: null,
      createdAtMs: at,
      activeAtMs: at,
      dueAtMs: at,
    } as const
    const done = await store
      .commit({
        guards: [{ kind: "version", url, version: entity?.version ?? 0 }],
        ops: [
          { op: "createStream", path, contentType: "application/json", nowMs: at },
          { op: "append", path, data: frameJson([{ count, pad: "x".repeat(count % 700) }]), nowMs: at },
          { op: "putEntity", record: { ...record, tags: {}, args: {}, control: { count } } },
          { op: "putRow", url, collection: "counts", key: String(count).padStart(6, "0"), value: count },
          { op: "putTimer", timer: { id: url, dueAtMs: count, url, payload: count } },
        ],
      })
      .then(
        () => true,
        () => false,
      )
    if (done) process.stdout.write(`${url} ${count}\n`)
  }
}
