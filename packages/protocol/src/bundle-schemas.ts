import { z } from "zod"
import type { BundlePart } from "./bundle.ts"
import { parseEntityUrl } from "./entity.ts"
import type { SpaceBundlePart } from "./space-bundle.ts"

const url = z.string().refine((value) => parseEntityUrl(value) !== undefined, "must look like /type/id")
const digest = z.string().regex(/^[0-9a-f]{64}$/, "must be a SHA-256 in hex")
const count = z.number().int().min(0)
const object = z.record(z.string(), z.unknown())

/** One line of a bundle. What later versions add is let through. */
export const bundlePart: z.ZodType<BundlePart> = z.discriminatedUnion("part", [
  z.object({
    part: z.literal("bundle"),
    version: count,
    at: z.string(),
    root: url,
    entities: z
      .array(z.object({ url, offset: z.string() }))
      .min(1)
      .max(10_000),
  }),
  z.object({
    part: z.literal("entity"),
    url,
    parent: url.nullable(),
    createdAt: z.iso.datetime(),
    args: object,
    tags: z.record(z.string(), z.string()),
    control: object,
  }),
  z.object({ part: z.literal("log"), data: z.string() }),
  z.object({
    part: z.literal("attachment"),
    id: digest,
    name: z.string().max(200),
    mediaType: z.string().max(200),
    data: z.base64(),
  }),
  z.object({ part: z.literal("work"), item: object }),
  z.object({
    part: z.literal("end"),
    url,
    log: z.object({ batches: count, sha256: digest }),
    rows: z.object({ count, sha256: digest }),
    attachments: count,
  }),
  z.object({ part: z.literal("done"), lines: count, sha256: digest }),
]) as unknown as z.ZodType<BundlePart>

/** One line of a bundle of a shared space. */
export const spaceBundlePart: z.ZodType<SpaceBundlePart> = z.discriminatedUnion("part", [
  z.object({
    part: z.literal("space"),
    version: count,
    at: z.string(),
    id: z.string(),
    definition: object,
    offset: z.string(),
  }),
  z.object({
    part: z.literal("row"),
    collection: z.string(),
    key: z.string().max(1_000),
    value: object,
    done: z.boolean().optional(),
    owner: url.optional(),
  }),
  z.object({
    part: z.literal("end"),
    rows: z.object({ count, sha256: digest }),
    log: z.object({ bytes: count, sha256: digest }),
  }),
  z.object({ part: z.literal("done"), lines: count, sha256: digest }),
]) as unknown as z.ZodType<SpaceBundlePart>
