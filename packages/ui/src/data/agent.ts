import { applyChanges, emptyTimeline } from "@rouse/client"
import type { Client, LogBatch, Timeline } from "@rouse/client"
import type { EntityDetail, EntityUrl, Offset } from "@rouse/protocol"
import { appendEntries } from "../core/log-entries.ts"
import type { LogEntry } from "../core/log-entries.ts"
import { createFrameBatch } from "./frame.ts"
import { keepLive } from "./retrying.ts"
import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"
import { lookedAt } from "./visibility.ts"

export interface AgentState {
  readonly url: EntityUrl
  /** `loading` until the log has been read to its end once. */
  readonly phase: "loading" | "live" | "failed"
  /** As it was when the page opened it: what is newer is in the timeline. */
  readonly detail?: EntityDetail
  readonly timeline: Timeline
  readonly log: readonly LogEntry[]
  readonly offset?: Offset
  readonly error?: unknown
}

/** One agent: its log, and the timeline that is made of it. Reads only while it is open. */
export interface Agent extends Readable<AgentState> {
  open(): void
  /** Stops reading. What was read stays, and reading goes on from there when it is opened again. */
  close(): void
}

/** Reads an agent's log from where it stands, and applies what comes once per frame. */
export function createAgent(client: Client, url: EntityUrl): Agent {
  const store = createStore<AgentState>({ url, phase: "loading", timeline: emptyTimeline(), log: [] })
  let reading: AbortController | undefined

  function apply(batches: readonly LogBatch[]): void {
    store.update((state) => {
      const events = batches.flatMap((batch) => batch.events)
      const log = batches.reduce((entries, batch) => appendEntries(entries, batch.events, batch.offset), state.log)
      const timeline = applyChanges(state.timeline, events)
      const live = state.phase === "live" || batches.some((batch) => batch.upToDate)
      const { error: _, ...rest } = state
      return { ...rest, phase: live ? "live" : "loading", timeline, log, offset: batches.at(-1)!.offset }
    })
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
      for await (const part of client.observe(url, { signal: inner, ...(from !== undefined && { from }) })) {
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

  async function inspect(signal: AbortSignal): Promise<void> {
    const detail = await client.get(url, { signal })
    if (!signal.aborted) store.update((state) => ({ ...state, detail }))
  }

  function close(): void {
    reading?.abort()
    reading = undefined
  }

  return { get: store.get, subscribe: store.subscribe, open, close }
}
