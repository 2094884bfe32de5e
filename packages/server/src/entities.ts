import { type EntityUrl, type Principal, RouseError } from "@rouse/protocol"
import { changeTags } from "./core/tags.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { purgeEntity } from "./purge.ts"
import { disownRows } from "./shared/disown.ts"
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
 * Stops an entity for good. With `purge` it is taken away: see `purgeEntity`. The address may be used again. With `shared` the rows that it
 * inserted into shared spaces are taken away first: a request that was broken off left the entity, stopped, to be asked of again.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `INVALID_ARGS`.
 */
export async function remove(
  plane: Plane,
  url: EntityUrl,
  by: Principal,
  { purge, shared }: { readonly purge: boolean; readonly shared: boolean },
): Promise<void> {
  if (shared && !purge) throw new RouseError("INVALID_ARGS", "shared: goes with purge=true")
  await signal(plane, { to: url, from: by, name: "kill", payload: `deleted by ${by.id}` }, () => undefined)
  if (!purge) return
  const record = await plane.transactor.record(url)
  if (!record) return
  if (shared) await disownRows(plane, url)
  await purgeEntity(plane, url, record.version, by, "deleted")
}
