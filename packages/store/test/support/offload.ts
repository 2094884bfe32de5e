import { Bucket, bucketConfig } from "@rouse/store/bucket"
import { openPostgresStore } from "@rouse/store/postgres"
import type { OffloadOptions } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import { ACCESS_KEY, SECRET_KEY } from "@rouse/testkit/s3"
import type { S3Server } from "@rouse/testkit/s3"

export const HOUR_MS = 3_600_000

/** A small stream is many objects of several blocks each. */
export const SMALL = { objectBytes: 2_000, objectBytesMin: 200, blockBytes: 500, tailBytes: 100 }

export function bucketAt(s3: S3Server): Bucket {
  const env = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY }
  const config = bucketConfig("ROUSE_OFFLOAD_URL", `s3://logs/of/rouse?endpoint=${s3.url}`, env)
  return new Bucket({ config, fetch, sleep: async () => undefined, holds: "old logs" })
}

export function openOffloading(
  place: { readonly url: string; readonly schema: string; readonly clock: () => number },
  s3: S3Server,
  options: Partial<OffloadOptions> = {},
): Promise<Store> {
  return openPostgresStore({ ...place, offload: { bucket: bucketAt(s3), afterMs: 0, sizes: SMALL, ...options } })
}

let lastRoundMs = 2_000_000_000_000

/** Goes one round over all streams. Rounds are an hour apart at least, and what is to be deleted is due by then. */
export async function offloadAll(store: Store, nowMs: number = (lastRoundMs += 2 * HOUR_MS)): Promise<void> {
  for (let more = true; more;) more = (await store.offload?.step(nowMs)) ?? false
}
