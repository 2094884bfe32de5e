import type { EntityUrl, Principal } from "@rouse/protocol"
import { changeTags } from "./core/tags.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { purgeEntity } from "./purge.ts"
import { signal } from "./signals.ts"

/**
 * Sets and removes tags of an entity; null removes.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `INVALID_ARGS`.
 */
export async function tag(
  plane: Plane,
  url: EntityUrl,
  changes: Readonly<Record<string, string | null>>,
): Promise<void> {
  await plane.transactor.transact([url], (planning) => changeTags(need(planning, url), changes))
}

/**
 * Stops an entity for good. With `purge` it is taken away: see `purgeEntity`. The address may be used again.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`.
 */
export async function remove(plane: Plane, url: EntityUrl, by: Principal, purge: boolean): Promise<void> {
  await signal(plane, { to: url, from: by, name: "kill", payload: `deleted by ${by.id}` }, () => undefined)
  if (!purge) return
  const record = await plane.transactor.record(url)
  if (!record) return
  await purgeEntity(plane, url, record.version, by, "deleted")
}
