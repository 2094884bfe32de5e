import type { Json, JsonObject } from "./json.ts"
import type { Offset } from "./offset.ts"

/**
 * Shared spaces: typed rows that many agents and people write. What passes between the control plane, handlers and clients.
 *
 * @see docs/shared.md
 */

/** One collection of a space. */
export interface SharedCollection {
  /** JSON Schema of a row: an object. */
  readonly schema: JsonObject
  /** The property that holds a row's key: a text of 1 to 256 characters, or a number. */
  readonly key: string
  /** By which properties, together, rows may be asked for when they are claimed. */
  readonly indexes?: readonly (readonly string[])[]
}

export interface SharedDefinition {
  readonly collections: Readonly<Record<string, SharedCollection>>
}

/** Who works on a row, and until when. */
export interface SharedClaim {
  readonly holder: string
  /** The fencing token: it grows with every claim in the space. What the row's holder writes carries it. */
  readonly token: number
  /** ISO 8601, UTC. From then on another may claim the row. */
  readonly expiresAt: string
}

export interface SharedRow<T = Json> {
  readonly key: string
  readonly value: T
  /** Grows with every change of the value, over the whole space, so that a row made anew is never taken for the one before. */
  readonly version: number
  /** It was claimed and completed: no claim finds it any more. */
  readonly done?: true
  readonly claim?: SharedClaim
}

/** A row that was claimed. */
export interface SharedHeld<T = Json> extends SharedRow<T> {
  readonly claim: SharedClaim
}

interface OnRow {
  readonly collection: string
  readonly key: string
}

interface Expecting {
  /** Only if the row's version is this one. */
  readonly version?: number
  /** The writer's claim. Without it a row that somebody has claimed is not to be written. */
  readonly token?: number
}

/** One change of a space. */
export type SharedOp =
  | { readonly op: "insert"; readonly collection: string; readonly value: JsonObject }
  /** Replaces the properties that `set` names, or the whole row by `value`. */
  | (OnRow & Expecting & { readonly op: "update"; readonly set?: JsonObject; readonly value?: JsonObject })
  | (OnRow & Expecting & { readonly op: "delete" })
  /** Adds to a number. It never conflicts, also not with a claim. */
  | (OnRow & { readonly op: "increment"; readonly field: string; readonly by: number })
  /** Ends a claim, and the row's work with it. */
  | (OnRow & { readonly op: "complete"; readonly token: number; readonly set?: JsonObject })
  /** Gives a claim back. Without a token, a person takes it away from whoever has it. */
  | (OnRow & { readonly op: "release"; readonly token?: number })
  | (OnRow & { readonly op: "renew"; readonly token: number; readonly leaseMs?: number })

/** `POST /v1/shared/{id}/{collection}`: changes of one commit. */
export interface SharedOpsBody {
  readonly ops: readonly WithoutCollection<SharedOp>[]
}

type WithoutCollection<T> = T extends unknown ? Omit<T, "collection"> : never

/** Asks for rows to work on: those that nobody has, oldest first, after those whose claim expired. */
export interface SharedClaimBody {
  readonly collection: string
  /** Exactly the properties of one index, with what they are to equal. */
  readonly where?: JsonObject
  /** 1 when absent. */
  readonly limit?: number
  /** How long they are held unless renewed, milliseconds. A minute when absent. */
  readonly leaseMs?: number
  /** Who asks. Whoever the token says when absent. */
  readonly holder?: string
  /** Names the claim: asked again while its rows are held, it is answered with them. */
  readonly id?: string
}

export interface SharedQuery {
  /** Only rows whose properties equal these. */
  readonly where?: JsonObject
  readonly after?: string
  /** 1 to 1,000; 100 when absent. */
  readonly limit?: number
}

export interface SharedPage<T = Json> {
  readonly rows: readonly SharedRow<T>[]
  /** Present when there may be more, also when no row was found: the key to go on `after`. */
  readonly next?: string
}

/** What a batch of changes answers: of each changed row its key, and its version where it is not gone. */
export interface SharedWritten {
  readonly results: readonly { readonly key: string; readonly version?: number }[]
  /** The end of the space's log after it. */
  readonly offset: Offset
}

/** `GET /v1/shared/{id}` */
export interface SharedInfo {
  readonly id: string
  readonly definition: SharedDefinition
  readonly createdAt: string
  readonly rows: number
  /** The stream of its log, as a path below the server's base. */
  readonly stream: string
}

export interface SharedList {
  readonly spaces: readonly SharedInfo[]
  readonly next?: string
}

/** The changes of one space in a handler's commit. */
export interface SharedWrite {
  readonly space: string
  readonly ops: readonly SharedOp[]
}

/** What a handler asks of a space beside its commits. */
export type SharedRequest =
  | { readonly kind: "open"; readonly space: string; readonly definition: SharedDefinition }
  | { readonly kind: "get"; readonly space: string; readonly collection: string; readonly key: string }
  | { readonly kind: "list"; readonly space: string; readonly collection: string; readonly query: SharedQuery }
  | { readonly kind: "claim"; readonly space: string; readonly claim: SharedClaimBody & { readonly id: string } }

export interface SharedAnswers {
  readonly open: null
  readonly get: SharedRow | null
  readonly list: SharedPage
  readonly claim: readonly SharedHeld[]
}

/** Names that an author's collection may not have: those of a space's own collections, and of what is beside them in a URL. */
export const SPACE_COLLECTIONS: readonly string[] = ["space", "claim", "claims"]

const ROOT = "shared/"

/** The path of a space's log among the streams. */
export function sharedStreamPath(id: string): string {
  return ROOT + id
}

/** The space whose log this stream is; undefined when it is none's. */
export function spaceOfStream(path: string): string | undefined {
  const id = path.startsWith(ROOT) ? path.slice(ROOT.length) : ""
  return id === "" || id.includes("/") ? undefined : id
}
