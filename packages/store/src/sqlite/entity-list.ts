import type { SQLInputValue, SQLOutputValue } from "node:sqlite"
import type { EntityStatus, JsonObject } from "@rouse/protocol"
import { activeSecondOf, encodeCursor, parseCursor } from "../core/cursor.ts"
import type { EntityFilter, EntityRecord, EntityRecordPage } from "../entity.ts"

type SqlRow = Record<string, SQLOutputValue>

export const ENTITY_COLUMNS =
  "url, type, name, status, version, epoch, parent, created_at, active_at, due_at, tags, args, control"

/** A page of entities by newest second of activity, then address. */
export function listEntities(
  filter: EntityFilter,
  all: (sql: string, values: readonly SQLInputValue[]) => SqlRow[],
): EntityRecordPage {
  const { conditions, values } = conditionsOf(filter)
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`
  const sql = `SELECT ${ENTITY_COLUMNS} FROM entity${where} ORDER BY active_second DESC, url LIMIT ?`
  const found = all(sql, [...values, filter.limit + 1]).map(recordOf)
  const entities = found.slice(0, filter.limit)
  const last = entities.at(-1)
  if (found.length <= filter.limit || last === undefined) return { entities }
  return { entities, next: encodeCursor({ activeSecond: activeSecondOf(last.activeAtMs), url: last.url }) }
}

interface Conditions {
  readonly conditions: readonly string[]
  readonly values: readonly SQLInputValue[]
}

/** As the index has it. */
const HAS_DEAD = "control ->> '$.dead' > 0"

/** Few shapes of text: values are always bound. */
function conditionsOf(filter: EntityFilter): Conditions {
  const parts: [string, ...SQLInputValue[]][] = []
  if (filter.type !== undefined) {
    /** An address begins with its type, and the index of activity holds addresses: other types are passed over within it. */
    parts.push(["url >= ? AND url < ?", `/${filter.type}/`, `/${filter.type}0`])
  }
  if (filter.status === "idle") parts.push(["status = ?", filter.status])
  else if (filter.status !== undefined) parts.push(["status = ? AND status <> 'idle'", filter.status])
  /** Addresses are read off the same index, newest first, until the page is full: no record is looked at that does not match. */
  for (const word of filter.words ?? []) parts.push(["url LIKE ? ESCAPE '!'", `%${word.replace(/[!%_]/g, "!$&")}%`])
  if (filter.parent !== undefined) parts.push(["parent = ?", filter.parent])
  if (filter.hasDead === true) parts.push([HAS_DEAD])
  if (filter.tag !== undefined) parts.push(tagCondition(filter.tag))
  if (filter.after !== undefined) {
    const { activeSecond, url } = parseCursor(filter.after)
    parts.push(["active_second <= ? AND (active_second < ? OR url > ?)", activeSecond, activeSecond, url])
  }
  return { conditions: parts.map(([sql]) => sql), values: parts.flatMap(([, ...values]) => values) }
}

function tagCondition(tag: NonNullable<EntityFilter["tag"]>): [string, ...SQLInputValue[]] {
  if (tag.value === undefined) return ["id IN (SELECT entity FROM tag WHERE name = ?)", tag.name]
  return ["id IN (SELECT entity FROM tag WHERE name = ? AND value = ?)", tag.name, tag.value]
}

export function recordOf(row: SqlRow): EntityRecord {
  return {
    url: row["url"] as string,
    type: row["type"] as string,
    id: row["name"] as string,
    status: row["status"] as EntityStatus,
    version: row["version"] as number,
    epoch: row["epoch"] as number,
    parent: row["parent"] as string | null,
    createdAtMs: row["created_at"] as number,
    activeAtMs: row["active_at"] as number,
    dueAtMs: row["due_at"] as number | null,
    tags: JSON.parse(row["tags"] as string) as Record<string, string>,
    args: JSON.parse(row["args"] as string) as JsonObject,
    control: JSON.parse(row["control"] as string) as JsonObject,
  }
}
