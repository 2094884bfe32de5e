import { applyChanges, emptyTimeline } from "@rouse/client"
import type { Client, LogBatch, Timeline } from "@rouse/client"
import { isControlEvent } from "@rouse/protocol"
import type { ChangeEvent, EntityDetail, EntityUrl, LogEvent, LogPage, Offset } from "@rouse/protocol"
import { appendEntries, LOG_ENTRIES_MAX, prependEntries } from "../core/log-entries.ts"
import type { LogEntry } from "../core/log-entries.ts"
import { without } from "../core/without.ts"
import { createFrameBatch } from "./frame.ts"
import { keepLive } from "./retrying.ts"
import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"
import { lookedAt } from "./visibility.ts"

export interface AgentState {
  readonly url: EntityUrl
  /** `loading` until the agent has been read once. */
  readonly phase: "loading" | "live" | "failed"
  /** As it was when the page opened it: what is newer is in the timeline. */
  readonly detail?: EntityDetail
  readonly timeline: Timeline
  /** The end of its log, from where it is known on. */
  readonly log: readonly LogEntry[]
  /** There is more of the log before that, from here on back. */
  readonly before?: Offset
  readonly offset?: Offset
  /** Rows are being told anew. */
  readonly telling?: boolean
  readonly error?: unknown
}

/** One agent: its log, and the timeline that is made of it. Reads only while it is open. */
export interface Agent extends Readable<AgentState> {
  open(): void
  /** Stops reading. What was read stays, and reading goes on from there when it is opened again. */
  close(): void
  /** Reads more of the log, from what is known back. */
  readonly loadEarlier: () => Promise<void>
}

/** A log that has no more events than this is read whole; of a longer one the rows that live are, and its end. */
const WHOLE_MAX = 300
const EARLIER = 1_000

/**
 * Reads an agent, and then its log from there, and applies what comes once per frame.
 *
 * It costs what lives and not what is past: the timeline of a long log is made of the rows, and its events are shown from the end.
 */
export function createAgent(client: Client, url: EntityUrl): Agent {
  const store = createStore<AgentState>({ url, phase: "loading", timeline: emptyTimeline(), log: [] })
  let reading: AbortController | undefined
  let loading = false

  function apply(batches: readonly LogBatch<LogEvent>[]): void {
    store.update((state) => {
      const events = batches.flatMap((batch) => batch.events)
      const timeline = applyChanges(state.timeline, events)
      const live = state.phase === "live" || batches.some((batch) => batch.upToDate)
      const offset = batches.at(-1)!.offset
      return {
        ...without(state, "error"),
        phase: live ? "live" : "loading",
        timeline,
        offset,
        ...logOf(state, batches),
      }
    })
    const { log, telling } = store.get()
    if (log.length === 0 && telling === false) loadEarlier().catch((error: unknown) => failed(error, true))
  }

  /** A passing failure of what is shown already is the connection's to tell. */
  function failed(error: unknown, again: boolean): void {
    const { phase } = store.get()
    if (phase === "live" && again) return
    store.update((state) => ({ ...state, phase: phase === "live" ? "live" : "failed", error }))
  }

  function open(): void {
    if (reading) return
    const { signal } = (reading = new AbortController())
    const batch = createFrameBatch(apply)
    signal.addEventListener("abort", () => batch.close())
    let from = store.get().offset
    const run = async (inner: AbortSignal, progress: () => void): Promise<void> => {
      if (from === undefined) from = await begin(inner)
      progress()
      const start = from === undefined ? { snapshot: true as const } : { from, snapshot: true as const }
      for await (const part of client.observe(url, { signal: inner, ...start })) {
        progress()
        from = part.offset
        batch.push(part)
      }
    }
    keepLive({ run, failed, signal, wanted: lookedAt }).catch((error: unknown) => failed(error, false))
    inspect(signal).catch((error: unknown) => {
      if (!signal.aborted) failed(error, true)
    })
  }

  /** The log's end, and the timeline when that is all of it. @returns where to read on; undefined when the rows are to be read. */
  async function begin(signal: AbortSignal): Promise<Offset | undefined> {
    const page = await client.log(url, { limit: WHOLE_MAX, signal })
    const offset = page.batches.at(-1)?.offset
    if (offset === undefined) return undefined
    const log = prependEntries([], page.batches)
    const { before } = page
    if (before !== undefined) {
      store.update((state) => ({ ...state, log, before }))
      return undefined
    }
    const timeline = applyChanges(
      emptyTimeline(),
      log.map(({ event }) => event),
    )
    store.update((state) => ({ ...without(state, "error", "before"), phase: "live", timeline, log, offset }))
    return offset
  }

  async function inspect(signal: AbortSignal): Promise<void> {
    const detail = await client.get(url, { signal })
    if (!signal.aborted) store.update((state) => ({ ...state, detail }))
  }

  async function loadEarlier(): Promise<void> {
    const { before, log } = store.get()
    if (before === undefined || loading || log.length >= LOG_ENTRIES_MAX) return
    loading = true
    try {
      const page = await client.log(url, { before, limit: EARLIER })
      store.update((state) => (state.before === before ? withEarlier(state, page) : state))
    } finally {
      loading = false
    }
  }

  function close(): void {
    reading?.abort()
    reading = undefined
  }

  return { get: store.get, subscribe: store.subscribe, open, close, loadEarlier }
}

function withEarlier(state: AgentState, page: LogPage): AgentState {
  const log = prependEntries(state.log, page.batches)
  return { ...without(state, "before"), log, ...(page.before !== undefined && { before: page.before }) }
}

/** The log with what was read. Rows that were told anew are no events: the log begins behind them, and can be read from there back. */
function logOf(
  state: AgentState,
  batches: readonly LogBatch<LogEvent>[],
): Pick<AgentState, "log" | "before" | "telling"> {
  let { log, before, telling } = state
  for (const { events, offset } of batches) {
    for (const event of events) {
      if (isControlEvent(event)) telling = event.headers.control === "snapshot-start"
    }
    const anew = telling || events.some(isControlEvent)
    // The end of the log was read just before, and ends where the rows were told.
    if (anew && log.at(-1)?.offset === offset) continue
    if (anew) [log, before] = [[], offset]
    else log = appendEntries(log, events.filter(isChange), offset)
  }
  return { log, ...(before !== undefined && { before }), ...(telling !== undefined && { telling }) }
}

function isChange(event: LogEvent): event is ChangeEvent {
  return !isControlEvent(event)
}
