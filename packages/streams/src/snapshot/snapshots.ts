import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { ReadResult, Store, StoredSnapshot, StreamInfo } from "@rouse/store"
import { concatBytes, frameJson } from "@rouse/store"
import type { Clock } from "../clock.ts"
import { LiveRows } from "../core/live-rows.ts"
import { isJson } from "../core/media-type.ts"
import { knownStream } from "../read/known-stream.ts"
import { fold } from "./fold.ts"

/** A stream's live rows as of its tail, from whoever keeps them: change messages in the store's wire form. */
export interface SnapshotRows {
  /** Read together with the rows. */
  readonly info: StreamInfo
  readonly data: Uint8Array
}

/** Gives a stream's live rows; undefined when it does not keep those of this stream. */
export type SnapshotSource = (path: string) => Promise<SnapshotRows | undefined>

/** Bytes behind a stored snapshot for which no newer one is stored. */
export const UNSTORED_BYTES_MAX: number = 64 * 1024
/** What may be live in a stream that a snapshot is asked of, in UTF-16 code units. */
export const LIVE_SIZE_MAX: number = 64 * 1024 * 1024
/** Streams whose snapshots are being made at once; the next gets 503. */
const MAKING_MAX = 64

export interface SnapshotsOptions {
  readonly store: Store
  readonly clock: Clock
  readonly source: SnapshotSource | undefined
  readonly onError: (error: unknown) => void
}

/**
 * Opens streams from their live rows.
 *
 *     stored snapshot ──▶ rows ◀── batches since ──▶ stored again, once these are as large as it
 *
 * 1. A snapshot is as of an offset, from which a reader goes on: with the batches from there it gives what the whole stream gives.
 * 2. It is made when it is asked for. What is stored is at most half again of what was appended, so opening costs what is live.
 * 3. It is no older than the tail when it was asked for. Those who ask meanwhile share the one that is being made.
 */
export class Snapshots {
  readonly #options: SnapshotsOptions
  readonly #making = new Map<string, Promise<ReadResult>>()

  constructor(options: SnapshotsOptions) {
    this.#options = options
  }

  /**
   * A snapshot as a read: its messages between `snapshot-start` and `snapshot-end`, and where the stream goes on.
   *
   * @throws {RouseError} `UNKNOWN_STREAM`; `BAD_REQUEST` when it is no stream of the State Protocol; `TOO_LARGE`; `OVERLOADED`; `GONE`
   *   when what its rows would be made of is no longer kept.
   */
  async open(path: string): Promise<ReadResult> {
    const kept = await this.#options.source?.(path)
    if (kept !== undefined && kept.data.length > LIVE_SIZE_MAX) {
      throw new RouseError("TOO_LARGE", `the live rows of ${path} are more than ${LIVE_SIZE_MAX} bytes: read it whole`)
    }
    if (kept !== undefined) return bracketed(kept.info, kept.info.next, kept.data, true)
    const info = await knownStream(this.#options.store, path)
    if (!isJson(info.contentType)) {
      throw new RouseError("BAD_REQUEST", `snapshot: only JSON streams have one, and this is ${info.contentType}`)
    }
    for (;;) {
      const made = await this.#share(path)
      if (made.info.incarnation !== info.incarnation || made.next >= info.next) return made
    }
  }

  #share(path: string): Promise<ReadResult> {
    const under = this.#making.get(path)
    if (under !== undefined) return under
    if (this.#making.size >= MAKING_MAX) {
      throw new RouseError("OVERLOADED", `snapshots of ${MAKING_MAX} streams are being made`)
    }
    const making = this.#make(path).finally(() => this.#making.delete(path))
    this.#making.set(path, making)
    return making
  }

  async #make(path: string): Promise<ReadResult> {
    const { store, clock } = this.#options
    const info = await knownStream(store, path)
    const stored = await store.snapshot(path)
    if (stored !== undefined && stored.at === stored.info.next) {
      return bracketed(stored.info, stored.at, stored.data, true)
    }
    const rows = new LiveRows(LIVE_SIZE_MAX)
    if (stored !== undefined) rows.apply(stored.data)
    const { result, bytes } = await fold(store, clock, rows, path, { from: stored?.at ?? START, to: info.next })
    const data = rows.frame()
    if (bytes > 0 && bytes >= Math.max(UNSTORED_BYTES_MAX, sizeOf(stored), data.length)) {
      await this.#keep(path, result.next, data)
    }
    return bracketed(result.info, result.next, data, result.upToDate)
  }

  /** A snapshot that cannot be stored serves its reader all the same. */
  async #keep(path: string, at: Offset, data: Uint8Array): Promise<void> {
    try {
      await this.#options.store.commit({ ops: [{ op: "putSnapshot", path, at, data }] })
    } catch (error) {
      if (!RouseError.is(error, "UNKNOWN_STREAM", "BAD_OFFSET", "GONE")) this.#options.onError(error)
    }
  }
}

function sizeOf(stored: StoredSnapshot | undefined): number {
  return stored?.data.length ?? 0
}

function bracketed(info: StreamInfo, at: Offset, data: Uint8Array, upToDate: boolean): ReadResult {
  const control = (kind: string): Uint8Array => frameJson([{ headers: { control: kind, offset: at } }])
  const chunks = [control("snapshot-start"), ...(data.length === 0 ? [] : [data]), control("snapshot-end")]
  return { info, data: concatBytes(chunks), chunks, start: SNAPSHOT, next: at, upToDate }
}

/** Stands for where a snapshot begins, in entity tags: no offset is like it. */
const SNAPSHOT = "snapshot" as Offset
