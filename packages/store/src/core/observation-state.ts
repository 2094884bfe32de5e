import type { ObserveFilter } from "@rouse/protocol"

/** What the decisions need to know about an observation. */
export interface ObservationState {
  readonly serial: number
  readonly version: number
  readonly url: string
  readonly name: string
  readonly path: string
  readonly filter: ObserveFilter
  readonly debounceMs: number
  /** A position in the stream. */
  readonly cursor: number
  readonly pending: boolean
  readonly dueAtMs: number | null
  readonly timeoutAtMs: number | null
}

/** What the decisions look observations up in. */
export interface ObservationView {
  /** False: there is no observation at all, and nothing to look up. */
  readonly any: boolean
  observation(url: string, name: string): ObservationState | undefined
  /** The observations of a stream, whether it exists or not. */
  observers(path: string): readonly ObservationState[]
  newSerial(): number
}

export type ObservationWrite =
  | { readonly kind: "insert" | "update"; readonly state: ObservationState; readonly config: string }
  /** What becomes of it by its stream: the cursor, whether it is pending, and when it is due. */
  | { readonly kind: "mark"; readonly state: ObservationState }
  | { readonly kind: "drop"; readonly serial: number }
  | { readonly kind: "dropOf"; readonly url: string }
