import type { Json } from "./json.ts"
import type { Offset } from "./offset.ts"
import type { SharedDefinition } from "./shared.ts"

/**
 * A shared space as one file, a line of JSON a part (docs/export.md).
 *
 * ```
 * head ─▶ row… ─▶ end ─▶ done
 * ```
 */
export type SpaceBundlePart =
  | SpaceBundleHead
  | SpaceBundleRow
  | SpaceBundleEnd
  /** The last line. `sha256` is of all bytes before it. A bundle without it was cut off. */
  | { readonly part: "done"; readonly lines: number; readonly sha256: string }

export interface SpaceBundleHead {
  readonly part: "space"
  readonly version: number
  /** When it was made: ISO 8601, UTC. */
  readonly at: string
  readonly id: string
  readonly definition: SharedDefinition
  /** Up to where of its log. */
  readonly offset: Offset
}

/** A row, in the order in which rows were inserted. Who had it claimed is left out. */
export interface SpaceBundleRow {
  readonly part: "row"
  readonly collection: string
  readonly key: string
  readonly value: Json
  readonly done?: boolean
  /** The agent that inserted it. */
  readonly owner?: string
}

export interface SpaceBundleEnd {
  readonly part: "end"
  readonly rows: { readonly count: number; readonly sha256: string }
  /** The space's log as it is kept, up to the bundle's offset: what it was exported from can be told by it. */
  readonly log: { readonly bytes: number; readonly sha256: string }
}
