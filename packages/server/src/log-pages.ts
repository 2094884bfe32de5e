import {
  type ChangeEvent,
  entityStreamPath,
  type EntityUrl,
  type LogBatchAt,
  type LogPage,
  type LogPageQuery,
  type Offset,
} from "@rouse/protocol"
import { endsOf } from "@rouse/store"
import { endOf } from "./fork/past-state.ts"
import { changesIn } from "./history.ts"
import type { Plane } from "./plane.ts"

const LIMIT = 200
/** Bytes of a log that are read at once, and that one page looks at. */
const READ_BYTES = 65_536
const LOOKED_AT_BYTES_MAX = 4_194_304

/**
 * A part of an entity's log read from its end, each commit with the offset behind it. Costs what is shown; with a filter what is looked at,
 * which is bounded: the next page goes on.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `BAD_OFFSET`; `GONE` when `before` lies before what is kept.
 */
export async function logPage(plane: Plane, url: EntityUrl, query: LogPageQuery): Promise<LogPage> {
  const { limit = LIMIT } = query
  const path = entityStreamPath(url)
  const horizon = (await plane.store.stream(path))?.horizon
  let before = query.before ?? (await endOf(plane, url))
  const found: LogBatchAt[] = []
  for (let events = 0, bytes = 0; events < limit && bytes < LOOKED_AT_BYTES_MAX;) {
    if (before === horizon) return pageOf(found)
    const { batches, start, length } = await readBefore(plane, path, before, READ_BYTES)
    if (batches.length === 0) return pageOf(found)
    bytes += length
    before = start
    for (const { offset, data } of batches.toReversed()) {
      const matching = changesIn(data).filter((event) => matches(event, query))
      if (matching.length > 0) found.push({ offset, events: matching })
      events += matching.length
      if (events < limit) continue
      return pageOf(found, placeBefore(batches, offset, start))
    }
  }
  return pageOf(found, before)
}

interface Batch {
  readonly offset: Offset
  readonly data: Uint8Array
}

interface BatchesBefore {
  readonly batches: readonly Batch[]
  readonly start: Offset
  readonly length: number
}

/** Batches that end at `before`, each with its own end. Where those cannot be told from one read they are read one by one. */
async function readBefore(plane: Plane, path: string, before: Offset, bytesMax: number): Promise<BatchesBefore> {
  const read = await plane.store.readBack(path, before, bytesMax)
  const ends = endsOf(read)
  if (ends === undefined && read.chunks.length > 1) return readBefore(plane, path, before, 1)
  const batches = read.chunks.map((data, index) => ({ offset: ends?.[index] ?? read.next, data }))
  return { batches, start: read.start, length: read.data.length }
}

/** Where the batch that ends at `offset` begins. */
function placeBefore(batches: readonly Batch[], offset: Offset, start: Offset): Offset {
  const index = batches.findIndex((batch) => batch.offset === offset)
  return batches[index - 1]?.offset ?? start
}

function matches({ type, key }: ChangeEvent, query: LogPageQuery): boolean {
  return (query.collection === undefined || type === query.collection) && (query.key === undefined || key === query.key)
}

/** @param newestFirst The batches as they were found. */
function pageOf(newestFirst: readonly LogBatchAt[], before?: Offset): LogPage {
  return { batches: newestFirst.toReversed(), ...(before === undefined ? {} : { before }) }
}
