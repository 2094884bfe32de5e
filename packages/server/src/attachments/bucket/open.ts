import type { Store } from "@rouse/store"
import { Bucket, bucketConfig } from "@rouse/store/bucket"
import { newId } from "../../core/id.ts"
import type { Contents } from "../contents.ts"
import { bucketContents } from "./bucket-contents.ts"

export interface AttachmentsBucketOptions {
  /** `s3://bucket/prefix?endpoint=…&region=…` */
  readonly address: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly store: Store
  readonly clock: () => number
  readonly random: () => number
  readonly fetch: typeof globalThis.fetch
  readonly sleep: (ms: number) => Promise<void>
}

/**
 * Attachments in a bucket, for `createServer({ attachments })`.
 *
 * @throws {RouseError} `BAD_REQUEST` when the address or the credentials will not do.
 * @see docs/attachments.md
 */
export function attachmentsBucket(options: AttachmentsBucketOptions): (rest: Contents) => Contents {
  const { address, env, store, clock, random, fetch, sleep } = options
  const bucket = new Bucket({
    config: bucketConfig("ROUSE_ATTACHMENTS", address, env),
    fetch,
    sleep,
    holds: "attachments",
  })
  return (rest) => bucketContents({ bucket, store, rest, clock, newKey: () => newId(clock(), random) })
}
