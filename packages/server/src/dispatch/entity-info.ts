import type { EntityInfo } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { type Control, isoTime } from "../core/control.ts"

/** What a handler is told of its entity. */
export function entityInfo(record: Omit<EntityRecord, "version">): EntityInfo {
  const { url, type, id, args, tags, parent, createdAtMs } = record
  const { schema } = record.control as unknown as Control
  const info = { url, type, id, args, tags, parent, createdAt: isoTime(createdAtMs) }
  return schema === undefined ? info : { ...info, schema }
}
