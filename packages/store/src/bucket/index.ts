export { Bucket } from "./bucket.ts"
export type { BucketOptions } from "./bucket.ts"
export { bucketConfig } from "./config.ts"
export type { BucketConfig } from "./config.ts"
