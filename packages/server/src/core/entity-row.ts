import type { EntityRow } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { type Control, isoTime } from "./control.ts"

/** An entity's own row: what its log says of it. */
export function entityRow(
  record: Omit<EntityRecord, "version">,
  status: EntityRow["status"],
  reason?: string,
): EntityRow {
  const { url, type, id, args, parent, createdAtMs } = record
  const { forkedFrom, schema } = record.control as unknown as Control
  return {
    ...{ url, type, id, args, parent, createdAt: isoTime(createdAtMs), status },
    ...(forkedFrom ? { forkedFrom } : {}),
    ...(schema === undefined ? {} : { schema }),
    ...(reason === undefined ? {} : { reason }),
  }
}
