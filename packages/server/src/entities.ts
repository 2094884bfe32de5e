import { entityStreamPath, type EntityUrl, type Principal } from "@rouse/protocol"
import { purgeOps } from "./attachments/purge.ts"
import { changeTags } from "./core/tags.ts"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
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
 * Stops an entity for good. With `purge` its log and rows are removed too, and the address may be used again.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`.
 */
export async function remove(plane: Plane, url: EntityUrl, by: Principal, purge: boolean): Promise<void> {
  await signal(plane, { to: url, from: by, name: "kill", payload: `deleted by ${by.id}` }, () => undefined)
  if (!purge) return
  const record = await plane.transactor.record(url)
  if (!record) return
  await plane.store.commit({
    guards: [{ kind: "version", url, version: record.version }],
    ops: [
      { op: "deleteEntity", url },
      { op: "deleteStream", path: entityStreamPath(url) },
      ...(await purgeOps(plane, url)),
    ],
  })
  plane.transactor.forget([url])
}
