import { entityStreamPath, type EntityUrl, type Principal, RouseError } from "@rouse/protocol"
import { need } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { signal } from "./signals.ts"

/** Tags that an entity may have. */
const TAGS_MAX = 64

/**
 * Sets and removes tags of an entity; null removes.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`; `INVALID_ARGS` past 64 tags.
 */
export async function tag(
  plane: Plane,
  url: EntityUrl,
  changes: Readonly<Record<string, string | null>>,
): Promise<void> {
  await plane.transactor.transact([url], (planning) => {
    const entity = need(planning, url)
    const tags: Record<string, string> = { ...entity.record.tags }
    for (const [name, value] of Object.entries(changes)) {
      if (value === null && !Object.hasOwn(tags, name)) continue
      if (value === null) {
        delete tags[name]
        entity.delete("tag", name)
        continue
      }
      if (Object.hasOwn(tags, name)) entity.update("tag", name, { value })
      else entity.insert("tag", name, { value })
      tags[name] = value
    }
    if (Object.keys(tags).length > TAGS_MAX)
      throw new RouseError("INVALID_ARGS", `tags: at most ${TAGS_MAX} are allowed`)
    entity.setTags(tags)
  })
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
    ],
  })
  plane.transactor.forget([url])
}
