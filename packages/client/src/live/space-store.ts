import type { LogEvent, Offset } from "@rouse/protocol"
import { isEntityId, RouseError, sharedStreamPath } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import type { RowTables } from "../core/row-tables.ts"
import { applyRows } from "../core/row-tables.ts"
import type { LogBatch } from "../log.ts"
import { readLog } from "../log.ts"
import type { SharedClient } from "../shared.ts"
import type { Transport } from "../transport.ts"
import { perFrame } from "./frame.ts"
import { createStore } from "./store.ts"
import type { LiveStore } from "./watched.ts"
import { watched } from "./watched.ts"

/** What is shown of a shared space. */
export interface SpaceState {
  readonly phase: "loading" | "live" | "failed"
  readonly connected: boolean
  /** Rows by collection: the author's, and `claim`, by `collection/key`. */
  readonly tables: RowTables
  readonly error?: RouseError
}

export interface SpaceStore extends LiveStore<SpaceState> {
  /** For writing: what is written is shown when it is on the log. */
  readonly space: SharedClient
}

/** Keeps a shared space's rows while anybody is subscribed. @throws {RouseError} `BAD_REQUEST` when a space cannot be named so. */
export function createSpaceStore(client: Client, transport: Transport, id: string): SpaceStore {
  if (!isEntityId(id)) throw new RouseError("BAD_REQUEST", `id: "${id}" is not the id of a shared space`)
  const store = createStore<SpaceState>({ phase: "loading", connected: true, tables: {} })
  const path = `/v1/stream/${sharedStreamPath(id)}`
  let offset: Offset | undefined

  function apply(batches: readonly LogBatch<LogEvent>[]): void {
    offset = batches.at(-1)?.offset ?? offset
    const events = batches.flatMap((batch) => batch.events)
    const caughtUp = batches.some((batch) => batch.upToDate)
    store.update(({ error: _error, ...state }) => ({
      ...state,
      phase: caughtUp || state.phase === "live" ? "live" : "loading",
      connected: true,
      tables: applyRows(state.tables, events, isShown),
    }))
  }

  async function run(signal: AbortSignal, progress: () => void): Promise<void> {
    const push = perFrame(transport.clock, signal, apply)
    const onInterrupted = (error: unknown): void => failed(error, true)
    const from = offset === undefined ? {} : { from: offset }
    for await (const batch of readLog(transport, path, { ...from, snapshot: true, signal, onInterrupted })) {
      progress()
      push(batch)
    }
  }

  function failed(error: unknown, again: boolean): void {
    const known = RouseError.is(error) ? error : new RouseError("INTERNAL", String(error), { cause: error })
    store.update((state) => ({ ...state, connected: false, ...(!again && { phase: "failed", error: known }) }))
  }

  return { ...watched(store, transport, run, failed), space: client.shared(id) }
}

function isShown(collection: string): boolean {
  return collection !== "space"
}
