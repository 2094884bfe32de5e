import { entityStreamPath, type EntityUrl, type Principal, START, type Tombstone } from "@rouse/protocol"
import { frameJson, parseJson } from "@rouse/store"
import { purgeOps } from "./attachments/purge.ts"
import { isoTime } from "./core/control.ts"
import type { Plane } from "./plane.ts"

/** Where it is kept that there was an entity: its address, and who took it away. Nothing of what it held. */
const TOMBSTONES = "__rouse/tombstones"
const TOMBSTONE_BYTES_MAX = 65_536

/**
 * Takes an entity away for good, in one commit: its record, log, rows, attachments, timers and work. What is left is a tombstone. Bytes that
 * a fork reads stay until the last of its forks is purged too.
 *
 * @param version The record's: one that changed meanwhile is left as it is.
 * @throws {RouseError} `CONFLICT` when it changed.
 */
export async function purgeEntity(
  plane: Plane,
  url: EntityUrl,
  version: number,
  by: Principal,
  reason: string,
): Promise<void> {
  const nowMs = plane.clock()
  const path = tombstonePath(url)
  const earlier = await plane.store.stream(path)
  const tombstone: Tombstone = { url, at: isoTime(nowMs), by, reason }
  const data = frameJson([tombstone])
  await plane.store.commit({
    guards: [{ kind: "version", url, version }],
    ops: [
      { op: "deleteEntity", url },
      { op: "deleteStream", path: entityStreamPath(url) },
      ...(await purgeOps(plane, url)),
      ...(earlier ? [{ op: "deleteStream", path } as const] : []),
      { op: "createStream", path, contentType: "application/json", data, closed: true, nowMs },
    ],
  })
  plane.transactor.forget([url])
}

/** What is left of an entity that was purged. */
export async function tombstoneOf(plane: Plane, url: EntityUrl): Promise<Tombstone | undefined> {
  const path = tombstonePath(url)
  if ((await plane.store.stream(path)) === undefined) return undefined
  const { chunks } = await plane.store.read(path, START, TOMBSTONE_BYTES_MAX)
  return parseJson(chunks)[0] as unknown as Tombstone | undefined
}

function tombstonePath(url: EntityUrl): string {
  return TOMBSTONES + url
}
