"use client"

import type { Json } from "@rouse/protocol"
import { useMemo } from "react"
import type { LiveRow } from "../core/row-tables.ts"
import type { SpaceState } from "../live/space-store.ts"
import type { SharedClient } from "../shared.ts"
import { useLive } from "./provider.ts"
import { useStore } from "./use-store.ts"

export interface SharedView<T> extends Omit<SpaceState, "tables"> {
  readonly rows: readonly LiveRow<T>[]
  /** For writing. What is written is shown when it is on the log. */
  readonly space: SharedClient
}

const NONE: readonly LiveRow<never>[] = []

/**
 * A collection of a shared space, live. All hooks on one space share a connection.
 *
 * @example
 * const { rows, space } = useShared<Task>("sprint", "tasks")
 * await space.write("tasks", [{ op: "update", key: "t1", set: { status: "done" } }])
 */
export function useShared<T = Json>(id: string, collection: string): SharedView<T> {
  const store = useLive().space(id)
  const { tables, ...state } = useStore(store)
  const rows = (tables[collection] ?? NONE) as readonly LiveRow<T>[]
  const { phase, connected, error } = state
  return useMemo(
    () => ({ phase, connected, ...(error && { error }), rows, space: store.space }),
    [store, phase, connected, error, rows],
  )
}
