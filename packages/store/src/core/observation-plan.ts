import { RouseError } from "@rouse/protocol"
import type { Json, ObserveFilter, Offset } from "@rouse/protocol"
import { observed } from "@rouse/protocol/observe"
import type { ObservationChange, ObservationInput } from "../observation.ts"
import { JUDGED_BYTES_MAX, OBSERVERS_MAX } from "../observation.ts"
import { isJson } from "./content-type.ts"
import { lineOf } from "./fork.ts"
import { parseJson } from "./json-frame.ts"
import { positionOf, segmentsOf } from "./lineage.ts"
import type { ObservationOverlay } from "./observation-overlay.ts"
import type { ObservationState, ObservationWrite } from "./observation-state.ts"
import type { StreamState } from "./stream-state.ts"
import { isAlive } from "./stream-state.ts"

/** Decides what a commit does to observations: by what is asked of them, and by what becomes of their streams. Keeps the rules of `ObservationReads`. */
export class ObservationPlan {
  readonly #view: ObservationOverlay
  readonly #streamOf: (path: string) => StreamState | undefined
  readonly #write: (write: ObservationWrite) => void

  constructor(
    view: ObservationOverlay,
    streamOf: (path: string) => StreamState | undefined,
    write: (write: ObservationWrite) => void,
  ) {
    this.#view = view
    this.#streamOf = streamOf
    this.#write = write
  }

  /** The earliest time at which an observation that this commit touched is due, as the commit leaves it. */
  get dueAtMs(): number | null {
    let earliest: number | null = null
    for (const state of this.#view.changes) {
      const dueAtMs = state?.dueAtMs ?? null
      if (dueAtMs !== null && (earliest === null || dueAtMs < earliest)) earliest = dueAtMs
    }
    return earliest
  }

  /** A stream grew by `data`. `before` is where it ended. */
  grown(before: number, stream: StreamState, data: Uint8Array | undefined, nowMs: number): void {
    const observers = this.#view.observers(stream.path)
    if (!observers.some((one) => !one.pending)) return
    const isNews = judge(stream, data)
    this.#markAll(stream.path, observers, (one) => {
      if (one.pending || !isNews(one.filter)) return one
      return { ...one, cursor: before, pending: true, dueAtMs: nowMs + one.debounceMs }
    })
  }

  /** A stream is gone. Who observes it waits for the next one at its path, from its beginning. */
  gone(path: string): void {
    this.#markAll(path, this.#view.observers(path), (one) => {
      if (one.cursor === 0 && !one.pending) return one
      return { ...one, cursor: 0, pending: false, dueAtMs: one.timeoutAtMs }
    })
  }

  /** Everything that an entity observes is over. */
  dropOf(url: string): void {
    this.#view.dropOf(url)
    this.#write({ kind: "dropOf", url })
  }

  do(change: ObservationChange): void {
    if (change.kind === "put") return this.#put(change.record, change.nowMs)
    const state = this.#view.observation(change.url, change.name)
    if (state === undefined) return
    this.#view.drop(state)
    this.#write({ kind: "drop", serial: state.serial })
  }

  #markAll(
    path: string,
    observers: readonly ObservationState[],
    mark: (one: ObservationState) => ObservationState,
  ): void {
    const marked: ObservationState[] = []
    const states = observers.map((one) => {
      const next = mark(one)
      if (next !== one) marked.push(next)
      return next
    })
    if (marked.length === 0) return
    this.#view.mark(path, states, marked)
    for (const state of marked) this.#write({ kind: "mark", state })
  }

  #put(record: ObservationInput, nowMs: number): void {
    const { url, name, path, filter, debounceMs, timeoutAtMs, config } = record
    const old = this.#view.observation(url, name)
    if (old?.path !== path) this.#refuseTooMany(path)
    const { cursor, pending } = this.#cursorOf(record, old, nowMs)
    const due = pending ? nowMs + debounceMs : timeoutAtMs
    const { notBeforeMs = 0 } = record
    const state: ObservationState = {
      serial: old?.serial ?? this.#view.newSerial(),
      version: (old?.version ?? 0) + 1,
      url,
      name,
      path,
      filter,
      debounceMs,
      cursor,
      pending,
      dueAtMs: due === null ? null : Math.max(due, notBeforeMs),
      timeoutAtMs,
    }
    this.#view.set(old, state)
    this.#write({ kind: old === undefined ? "insert" : "update", state, config })
  }

  #cursorOf(
    { path, cursor: asked }: ObservationInput,
    old: ObservationState | undefined,
    nowMs: number,
  ): { readonly cursor: number; readonly pending: boolean } {
    const stream = this.#streamOf(path)
    const tail = isAlive(stream, nowMs) ? stream.tail : 0
    if (asked === null) {
      if (old?.path === path && old.pending) return { cursor: old.cursor, pending: true }
      return { cursor: tail, pending: false }
    }
    const cursor = isAlive(stream, nowMs) ? this.#positionOf(stream, asked) : 0
    if (cursor === undefined || cursor > tail) {
      throw new RouseError("BAD_OFFSET", `from: ${asked} is not an offset of ${path}`, { details: { field: "from" } })
    }
    return { cursor, pending: cursor < tail }
  }

  #positionOf(stream: StreamState, offset: Offset): number | undefined {
    return positionOf(segmentsOf(lineOf(stream, { stream: this.#streamOf }), stream.tail), offset)
  }

  #refuseTooMany(path: string): void {
    if (this.#view.observers(path).length < OBSERVERS_MAX) return
    throw new RouseError("RATE_LIMITED", `${path} has ${OBSERVERS_MAX} observations already`)
  }
}

/** Whether what was appended is news to a filter. The bytes are looked at once, however many ask, and each filter is asked once. */
function judge(stream: StreamState, data: Uint8Array | undefined): (filter: ObserveFilter) => boolean {
  const messages = messagesOf(stream, data)
  if (messages === undefined) return () => true
  const known = new Map<ObserveFilter, boolean>()
  return (filter) => {
    let isNews = known.get(filter)
    if (isNews === undefined) {
      isNews = messages.some((message) => observed(filter, message) !== undefined)
      known.set(filter, isNews)
    }
    return isNews
  }
}

function messagesOf(stream: StreamState, data: Uint8Array | undefined): readonly Json[] | undefined {
  if (data === undefined || data.length > JUDGED_BYTES_MAX) return undefined
  if (!isJson(stream.contentType)) return undefined
  return parseJson([data])
}
