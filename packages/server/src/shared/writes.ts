import { RouseError } from "@rouse/protocol"
import type { Json, JsonObject, SharedCollection, SharedOp } from "@rouse/protocol"
import type { SpaceRecord, SpaceRow, SpaceWrite } from "@rouse/store"
import type { CommitDraft } from "../core/draft.ts"
import type { Plane } from "../plane.ts"
import { needSpace } from "./definition.ts"
import { RowChecks } from "./row-check.ts"

/** How long a claim is held, when its holder does not say. */
export const LEASE_MS = 60_000

/** Whose changes they are. */
export interface SharedWriting {
  readonly space: string
  /** Who writes: the address of an agent, or a person's name. */
  readonly by: string
  /** Whose the rows are that it inserts: an agent's, which a purge can take with it. */
  readonly owner?: string
  readonly ops: readonly SharedOp[]
}

/**
 * Adds changes of a space to a commit. What a change leaves of a row is read here, and the commit holds only while that is so: when another
 * was first, the transactor plans again.
 *
 * @returns The rows' keys, in order.
 * @throws {RouseError} `NOT_FOUND`, `INVALID_ARGS` naming the property, `CONFLICT` with the row's version and value, `ALREADY_CLAIMED`, `CLAIM_LOST`.
 */
export async function planShared(
  plane: Plane,
  draft: CommitDraft,
  { space: id, by, owner, ops }: SharedWriting,
): Promise<readonly string[]> {
  const space = await needSpace(plane, id)
  const planning = new SharedPlanning(plane, space, draft.nowMs)
  const writes: SpaceWrite[] = []
  for (const op of ops) writes.push(await planning.write(op))
  draft.also({
    op: "space",
    path: space.path,
    change: { kind: "write", by, ...(owner === undefined ? {} : { owner }), writes },
    nowMs: draft.nowMs,
  })
  return writes.flatMap((write) => ("key" in write ? [write.key] : []))
}

class SharedPlanning {
  readonly #plane: Plane
  readonly #space: SpaceRecord
  readonly #nowMs: number
  readonly #checks: RowChecks
  /** Rows that this commit has changed already: they are written whole, without a look at the version. */
  readonly #planned = new Map<string, Json>()

  constructor(plane: Plane, space: SpaceRecord, nowMs: number) {
    this.#plane = plane
    this.#space = space
    this.#nowMs = nowMs
    this.#checks = new RowChecks(plane.clock, plane.limits.sharedRowBytesMax)
  }

  async write(op: SharedOp): Promise<SpaceWrite> {
    const collection = this.#collection(op.collection)
    switch (op.op) {
      case "insert":
        return this.#insert(op, collection)
      case "update": {
        const { key, version, token } = op
        const changed = await this.#changed(op, collection, op.value ?? op.set ?? {}, op.value !== undefined)
        return {
          kind: "update",
          collection: op.collection,
          key,
          ...changed,
          ...expecting(changed.version ?? version, token),
        }
      }
      case "delete":
        return { kind: "delete", collection: op.collection, key: op.key, ...expecting(op.version, op.token) }
      case "increment":
        return { kind: "increment", ...rest(op), ...boundsOf(op, collection) }
      case "complete": {
        const { key, token, set } = op
        const changed = set === undefined ? {} : await this.#changed(op, collection, set, false)
        return { kind: "complete", collection: op.collection, key, token, ...changed }
      }
      case "release":
        return { kind: "release", ...rest(op) }
      case "renew": {
        const { key, token, leaseMs = LEASE_MS } = op
        return { kind: "renew", collection: op.collection, key, token, expiresAtMs: this.#nowMs + leaseMs }
      }
    }
  }

  #collection(name: string): SharedCollection {
    const { collections } = this.#space.definition
    const found = Object.hasOwn(collections, name) ? collections[name] : undefined
    if (found) return found
    const known = Object.keys(collections).join(", ")
    throw new RouseError("NOT_FOUND", `there is no collection "${name}"; the space has: ${known}`)
  }

  #insert({ collection: name, value }: Extract<SharedOp, { op: "insert" }>, collection: SharedCollection): SpaceWrite {
    const text = JSON.stringify(value)
    const { sharedRowsMax: rowsMax } = this.#plane.limits
    const key = this.#checks.check(name, collection, value, text)
    this.#planned.set(`${name}\n${key}`, value)
    return { kind: "insert", collection: name, key, value: text, rowsMax }
  }

  /** What a row becomes, and the version that it was made of. */
  async #changed(
    op: Extract<SharedOp, { op: "update" | "complete" }>,
    collection: SharedCollection,
    set: JsonObject,
    whole: boolean,
  ): Promise<{ readonly value: string; readonly version?: number }> {
    const { collection: name, key } = op
    const planned = this.#planned.get(`${name}\n${key}`)
    const row = planned === undefined ? await this.#row(op) : undefined
    const before = planned ?? (row ? (JSON.parse(row.value) as JsonObject) : {})
    const value = whole ? set : { ...(before as JsonObject), ...set }
    const text = JSON.stringify(value)
    const keyNow = this.#checks.check(name, collection, value, text)
    if (keyNow !== key) throw new RouseError("INVALID_ARGS", `${name}.${collection.key}: a row's key cannot change`)
    this.#planned.set(`${name}\n${key}`, value)
    return { value: text, ...(row && !whole ? { version: row.version } : {}) }
  }

  async #row(op: Extract<SharedOp, { op: "update" | "complete" }>): Promise<SpaceRow> {
    const { collection, key } = op
    const row = await this.#plane.store.spaceRow(this.#space.path, collection, key)
    const name = `${collection}: the row ${JSON.stringify(key)}`
    if (!row)
      throw new RouseError("NOT_FOUND", `${collection}: there is no row ${JSON.stringify(key)}`, {
        details: { collection, key },
      })
    const { version, value } = row
    if (op.op === "update" && op.version !== undefined && op.version !== version) {
      throw new RouseError("CONFLICT", `${name} has version ${version}, not ${op.version}`, {
        details: { guard: "row", collection, key, version, value },
      })
    }
    return row
  }
}

function expecting(version: number | undefined, token: number | undefined): { version?: number; token?: number } {
  return { ...(version === undefined ? {} : { version }), ...(token === undefined ? {} : { token }) }
}

function rest<T extends { readonly op: string }>({ op: _op, ...fields }: T): Omit<T, "op"> {
  return fields
}

/** What a number may become, as far as its schema says so simply. @throws {RouseError} `INVALID_ARGS`. */
function boundsOf(
  { collection: name, field, by }: Extract<SharedOp, { op: "increment" }>,
  { schema }: SharedCollection,
): { readonly min?: number; readonly max?: number } {
  const properties = schema["properties"] as Readonly<Record<string, JsonObject>> | undefined
  const { type, minimum, maximum } = properties?.[field] ?? {}
  const isWhole = type === "integer"
  if ((type !== "number" && !isWhole) || (isWhole && !Number.isInteger(by))) {
    const rule = isWhole ? "by must be a whole number" : "its schema does not say that it is a number"
    throw new RouseError("INVALID_ARGS", `${name}.${field}: ${rule}`, { details: { field: `${name}.${field}` } })
  }
  return {
    ...(typeof minimum === "number" ? { min: minimum } : {}),
    ...(typeof maximum === "number" ? { max: maximum } : {}),
  }
}
