import { z } from "zod"

/** What several operations understand in their query. */

/** True or false, by those words only: whoever writes `purge=1` is told so. */
const flag = z.enum(["true", "false"])

export interface WaitQuery {
  readonly wait?: string
}
export const waitQuery: z.ZodType<WaitQuery> = z.strictObject({
  wait: z
    .string()
    .max(32)
    .meta({
      description: "How long to wait for the reply: `30s`, `500ms`, `2m`; at most 10 minutes.",
      examples: ["30s"],
    })
    .exactOptional(),
})

export interface PurgeQuery {
  readonly purge?: "true" | "false"
  readonly shared?: "true" | "false"
}
export const purgeQuery: z.ZodType<PurgeQuery> = z.strictObject({
  purge: flag.describe("Also the log, its files and every row, at once and for good.").exactOptional(),
  shared: flag.describe("With `purge`: also the rows that it inserted into shared spaces.").exactOptional(),
})

export interface StateQuery {
  readonly at?: string
  readonly history?: "true" | "false"
  readonly ordered?: "true" | "false"
}
export const stateQuery: z.ZodType<StateQuery> = z.strictObject({
  at: z.string().max(128).describe("An offset of the log: the rows as they were there.").exactOptional(),
  history: flag.describe("Also the rows that a summary covers.").exactOptional(),
  ordered: flag.describe("With `at`: in the order in which they came about.").exactOptional(),
})

export interface TreeQuery {
  readonly tree?: "true" | "false"
}
export const treeQuery: z.ZodType<TreeQuery> = z.strictObject({
  tree: flag.describe("Its children too, and theirs.").exactOptional(),
})

export interface ImportQuery {
  readonly as?: string
  readonly run?: "true" | "false"
}
export const importQuery: z.ZodType<ImportQuery> = z.strictObject({
  as: z
    .string()
    .max(256)
    .describe("The root's new address: `/type/id`; of a shared space `shared/id`.")
    .exactOptional(),
  run: flag.describe("What was under way goes on at once; it is paused otherwise.").exactOptional(),
})

export interface PageQuery {
  readonly after?: string
  readonly limit?: number
}
/** A page of at most 1,000. */
export const pageQuery: z.ZodType<PageQuery> = z.strictObject({
  after: z.string().max(512).describe("Opaque: the `next` of the page before.").exactOptional(),
  limit: z.coerce.number().int().min(1).max(1_000).exactOptional(),
})

export interface UploadQuery {
  readonly name?: string
}
export const uploadQuery: z.ZodType<UploadQuery> = z.strictObject({
  name: z.string().max(1_024).describe("The file's name; that of `Content-Disposition` when absent.").exactOptional(),
})

export interface ClaimUploadQuery extends UploadQuery {
  readonly run?: string
  readonly call?: string
}
export const claimUploadQuery: z.ZodType<ClaimUploadQuery> = z.strictObject({
  name: z.string().max(1_024).exactOptional(),
  run: z.string().max(256).describe("The run that it comes from.").exactOptional(),
  call: z.string().max(256).describe("The tool call that it comes from.").exactOptional(),
})

export interface SharedRowsQuery {
  readonly at?: string
  readonly where?: string
  readonly after?: string
  readonly limit?: number
}
export const sharedRowsQuery: z.ZodType<SharedRowsQuery> = z.strictObject({
  at: z.string().max(128).describe("An offset of the space's log: the rows as they were there.").exactOptional(),
  where: z.string().max(8_192).describe("A JSON object: only rows whose properties equal these.").exactOptional(),
  after: z.string().max(256).describe("The key to go on after.").exactOptional(),
  limit: z.coerce.number().int().min(1).max(1_000).exactOptional(),
})
