import { pgStreamPath, RouseError } from "@rouse/protocol"
import { DueLoop } from "../due-loop.ts"
import type { Plane } from "../plane.ts"
import type { RowBatch, RowSource } from "./row-source.ts"

/** A server that hears nothing looks by itself so often, milliseconds. */
const LOOK_MS = 5_000
const PRODUCER = "pg-source"

/**
 * Brings what changed in tables of other databases onto their streams `pg/{source}/{table}`, where it rouses whoever observes them.
 *
 * A batch has a number, which the stream remembers in the commit that appends it: one that comes again, because a server died before it
 * could say that it is done, or because two servers took it, is appended once.
 *
 * One loop for each source: a database that cannot be reached keeps no other from being read.
 */
export class RowFeeds {
  readonly #feeds: readonly { readonly source: RowSource; readonly loop: DueLoop }[]
  #unwatch: (() => void)[] = []

  constructor(plane: () => Plane, sources: readonly RowSource[]) {
    this.#feeds = sources.map((source) => ({
      source,
      loop: new DueLoop(plane, {
        name: `changed rows of ${source.name}`,
        look: (known) => drain(known, source),
        next: (known) => Promise.resolve(known.clock() + LOOK_MS),
      }),
    }))
  }

  start(): void {
    this.#unwatch = this.#feeds.map(({ source, loop }) => source.watch(() => loop.poke()))
    for (const { loop } of this.#feeds) loop.poke()
  }

  /** Takes no more, and waits for what is under way. The sources stay open: they were passed in. */
  async close(): Promise<void> {
    for (const unwatch of this.#unwatch) unwatch()
    await Promise.all(this.#feeds.map(({ loop }) => loop.close()))
  }
}

/** Returns whether there was anything. */
async function drain(plane: Plane, source: RowSource): Promise<boolean> {
  const batches = await source.take()
  for (const batch of batches) {
    const isKept = await append(plane, source, batch)
    if (isKept) await source.done(batch)
  }
  return batches.length > 0
}

/** Returns whether the batch is on its stream now: appended, or there already. */
async function append(plane: Plane, source: RowSource, batch: RowBatch): Promise<boolean> {
  const path = pgStreamPath(source.name, batch.label)
  const nowMs = plane.clock()
  const producer = { id: PRODUCER, epoch: batch.epoch, seq: batch.number }
  const data = new TextEncoder().encode(batch.events)
  try {
    await plane.store.commit({
      ops: [
        { op: "createStream", path, contentType: "application/json", nowMs },
        { op: "append", path, data, producer, nowMs },
      ],
    })
    return true
  } catch (error) {
    const above = epochToPass(error, batch)
    if (above === undefined) throw error
    // The store does not know the numbers before this one: it is new, or an older copy. None of this batch is in it.
    plane.log.warn("a table's changes are numbered anew", { source: source.name, table: batch.label, ...producer })
    await source.renew(batch, above)
    return false
  }
}

/** The epoch to go above, where the stream's memory of the numbers and the database's do not fit. */
function epochToPass(error: unknown, batch: RowBatch): number | undefined {
  if (RouseError.is(error, "SEQUENCE_GAP")) return batch.epoch
  if (RouseError.is(error, "STALE_PRODUCER")) return Number(error.details["epoch"])
  if (RouseError.is(error, "BAD_REQUEST") && error.details["expected"] === 0) return batch.epoch
  return undefined
}
