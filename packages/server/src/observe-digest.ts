import { type ChangeNotice, type EntityUrl, type Json, type Offset, RouseError } from "@rouse/protocol"
import { emptyNotice, foldChange, observed } from "@rouse/protocol/observe"
import { type ObservationRecord, parseJson, type ReadResult, type Store } from "@rouse/store"
import type { ObservationConfig } from "./observations.ts"

/** Bytes of a stream that are looked at for one delivery. What is left is looked at next. */
const READ_BYTES_MAX = 1_048_576
/** Agents behind one delivery whose chains of causes are looked up. */
const AUTHORS_MAX = 8

/** What an observation has to tell: nothing, when the notice counts none. */
export interface Digest {
  readonly notice: ChangeNotice
  /** Agents that are known to have made the changes, a few of them. */
  readonly authors: readonly EntityUrl[]
}

interface Read {
  /** Undefined where the stream has bytes and no messages. */
  readonly messages: readonly Json[] | undefined
  readonly to: Offset
  readonly lost: boolean
}

/**
 * Reads streams for many observations at once: those that stand at the same place share one read, and those that also ask the same share
 * what was found. For one round of deliveries.
 */
export class Digests {
  readonly #store: Store
  readonly #reads = new Map<string, Promise<Read>>()
  readonly #found = new Map<string, Digest>()

  constructor(store: Store) {
    this.#store = store
  }

  /** @throws {RouseError} `UNKNOWN_STREAM` when the stream is gone. */
  async of(record: ObservationRecord): Promise<Digest> {
    const { path, cursor, name } = record
    const { source } = JSON.parse(record.config) as ObservationConfig
    const key = `${path} ${cursor}`
    let reading = this.#reads.get(key)
    if (reading === undefined) this.#reads.set(key, (reading = this.#read(path, cursor)))
    const read = await reading
    const asked = `${key} ${JSON.stringify(record.filter)}`
    let found = this.#found.get(asked)
    if (found === undefined) this.#found.set(asked, (found = digest(record, source, read)))
    return { ...found, notice: { ...found.notice, observation: name, source } }
  }

  async #read(path: string, from: Offset): Promise<Read> {
    const { result, lost } = await this.#readFrom(path, from)
    const isJson = /^application\/json\s*(;|$)/i.test(result.info.contentType)
    const messages = isJson ? (result.data.length === 0 ? [] : parseJson([result.data])) : undefined
    return { messages, to: result.next, lost }
  }

  /** What was trimmed before it was looked at is lost, and that is told. */
  async #readFrom(path: string, from: Offset): Promise<{ readonly result: ReadResult; readonly lost: boolean }> {
    try {
      return { result: await this.#store.read(path, from, READ_BYTES_MAX), lost: false }
    } catch (error) {
      const horizon = RouseError.is(error, "GONE") ? (await this.#store.stream(path))?.horizon : undefined
      if (horizon === undefined) throw error
      return { result: await this.#store.read(path, horizon, READ_BYTES_MAX), lost: true }
    }
  }
}

function digest(record: ObservationRecord, source: ObservationConfig["source"], read: Read): Digest {
  const { filter, cursor } = record
  const empty = {
    ...emptyNotice(record.name, source, cursor),
    to: read.to,
    ...(read.lost ? { lost: true as const } : {}),
  }
  if (read.messages === undefined) return { notice: read.to === cursor ? empty : { ...empty, count: 1 }, authors: [] }
  const authors = new Set<EntityUrl>()
  let notice: ChangeNotice = empty
  for (const message of read.messages) {
    const change = observed(filter, message)
    if (change === undefined) continue
    notice = foldChange(notice, change)
    const author = filter.set === undefined ? authorOf(message) : change.key
    if (author !== undefined && authors.size < AUTHORS_MAX) authors.add(author)
  }
  return { notice, authors: [...authors] }
}

/** Who made a change, where its message says so. */
function authorOf(message: Json): EntityUrl | undefined {
  const by = (message as { readonly headers?: { readonly by?: Json } | null } | null)?.headers?.by
  return typeof by === "string" ? by : undefined
}
