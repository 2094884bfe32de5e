import type { Operation } from "./change.ts"
import type { Json, JsonObject } from "./json.ts"
import type { EntitySet, ObservedChange, ObserveFilter } from "./observe.ts"
import { matchesWhere } from "./observe-where.ts"

const OPERATIONS: ReadonlySet<unknown> = new Set<Operation>(["insert", "update", "delete"])
const ENDED: ReadonlySet<unknown> = new Set(["completed", "failed", "interrupted", "stopped"])

/** A message of a stream, taken apart. `collection` is absent where it changes no row. */
interface Taken {
  readonly collection?: string
  readonly key?: string
  readonly operation?: Operation
  readonly value: Json | undefined
  readonly old: Json | undefined
}

/**
 * What a message of a stream is to an observation; undefined when it is nothing. Pure.
 *
 * A row that is deleted is judged by what it was, where the message says that; else `where` is not asked.
 */
export function observed(filter: ObserveFilter, message: Json): ObservedChange | undefined {
  const taken = takeApart(message)
  if (taken === undefined) return undefined
  if (filter.except !== undefined && isBy(filter.except, message as JsonObject, taken, filter.set)) return undefined
  if (filter.set !== undefined) return ofSet(filter, filter.set, taken)
  return isOn(filter.on, taken) && isWhere(filter, taken) ? changeOf(taken) : undefined
}

/** Who made a change, where the message says it: `headers.by`. A set tells of its members, who do not make themselves members. */
function isBy(url: string, message: JsonObject, { key }: Taken, set: EntitySet | undefined): boolean {
  if (set !== undefined) return key === url
  const headers = message["headers"] as JsonObject | undefined
  return typeof headers === "object" && headers !== null && headers["by"] === url
}

function takeApart(message: Json): Taken | undefined {
  if (typeof message !== "object" || message === null || Array.isArray(message))
    return { value: message, old: undefined }
  const { type, key, value, old_value: old, headers } = message as JsonObject
  if (typeof headers !== "object" || headers === null) return { value: message, old: undefined }
  const { operation, control } = headers as JsonObject
  if (control !== undefined) return undefined
  if (typeof type !== "string" || typeof key !== "string" || !OPERATIONS.has(operation))
    return { value: message, old: undefined }
  return { collection: type, key, operation: operation as Operation, value, old }
}

function isOn(on: readonly string[] | undefined, taken: Taken): boolean {
  const { collection, operation, value } = taken
  if (on === undefined) return collection !== "delta"
  if (collection === undefined) return false
  return on.some((topic) => {
    if (topic === "finished") return collection === "run" && ENDED.has((value as JsonObject | undefined)?.["status"])
    return topic === collection || topic === `${collection}:${String(operation)}`
  })
}

function isWhere({ where }: ObserveFilter, { value, old, operation, key }: Taken): boolean {
  if (where === undefined) return true
  const row = operation === "delete" ? old : value
  return (operation === "delete" && row === undefined) || matchesWhere(where, row, key)
}

function changeOf({ collection, key, operation, value, old }: Taken): ObservedChange {
  const row = operation === "delete" ? old : value
  return {
    ...(collection === undefined ? {} : { collection }),
    ...(key === undefined ? {} : { key }),
    ...(operation === undefined ? {} : { operation }),
    ...(row === undefined ? {} : { row }),
  }
}

/** A member joins when it is one now and was none before, and leaves the other way round. */
function ofSet(
  { on, where }: ObserveFilter,
  set: EntitySet,
  { key, value, old, operation }: Taken,
): ObservedChange | undefined {
  if (key === undefined) return undefined
  const is = operation !== "delete" && isMember(set, where, value, key)
  const was = isMember(set, where, old, key)
  if (!is && !was) return undefined
  const kind = is && was ? "change" : is ? "join" : "leave"
  if (on !== undefined && !on.includes(kind)) return undefined
  const row = is ? value : (value ?? old)
  return { collection: "entity", key, operation: kind, ...(row === undefined ? {} : { row }) }
}

function isMember(set: EntitySet, where: ObserveFilter["where"], row: Json | undefined, key: string): boolean {
  if (typeof row !== "object" || row === null) return false
  const { type, status, tags } = row as JsonObject
  if (type !== set.type || (set.status !== undefined && status !== set.status)) return false
  const has = (tags ?? {}) as JsonObject
  if (!Object.entries(set.tags ?? {}).every(([name, text]) => has[name] === text)) return false
  return where === undefined || matchesWhere(where, row, key)
}
