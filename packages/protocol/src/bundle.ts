import type { EntityUrl } from "./entity.ts"
import type { JsonObject } from "./json.ts"
import type { Offset } from "./offset.ts"

/**
 * A bundle: agents as one file, a line of JSON a part (docs/export.md).
 *
 * ```
 * head ─▶ (entity ─▶ log… ─▶ attachment… ─▶ work… ─▶ end)… ─▶ done
 * ```
 */
export const BUNDLE_VERSION = 1

/** One line. */
export type BundlePart =
  | BundleHead
  | BundleEntity
  /** One append, as the log has it. */
  | { readonly part: "log"; readonly data: string }
  /** A piece of an attachment, in base64. Its id is the SHA-256 of all of them. */
  | {
      readonly part: "attachment"
      readonly id: string
      readonly name: string
      readonly mediaType: string
      readonly data: string
    }
  /** A call that is with workers. */
  | { readonly part: "work"; readonly item: JsonObject }
  | BundleEnd
  /** The last line. `sha256` is of all bytes before it. A bundle without it was cut off. */
  | { readonly part: "done"; readonly lines: number; readonly sha256: string }

export interface BundleHead {
  readonly part: "bundle"
  readonly version: number
  /** When it was made: ISO 8601, UTC. */
  readonly at: string
  readonly root: EntityUrl
  /** Who is in it, the root first, and up to where of its log. */
  readonly entities: readonly { readonly url: EntityUrl; readonly offset: Offset }[]
}

export interface BundleEntity {
  readonly part: "entity"
  readonly url: EntityUrl
  readonly parent: EntityUrl | null
  readonly createdAt: string
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  /** The control plane's own state. */
  readonly control: JsonObject
}

/** What must be true of the parts since the `entity`. */
export interface BundleEnd {
  readonly part: "end"
  readonly url: EntityUrl
  readonly log: { readonly batches: number; readonly sha256: string }
  /** The live rows that the log amounts to, each as JSON of `[collection, key, value]`, keys sorted, and a line feed. */
  readonly rows: { readonly count: number; readonly sha256: string }
  readonly attachments: number
}

/** `POST /v1/import?as&run` */
export interface Imported {
  /** Who became whom. */
  readonly entities: Readonly<Record<EntityUrl, EntityUrl>>
  /** Those that were under way and are paused until they are told to go on. */
  readonly paused: readonly EntityUrl[]
  readonly rows: number
  /** The shared space that was made, of a bundle of one. */
  readonly space?: string
}
