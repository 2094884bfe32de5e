import type {
  Budget,
  EntityStatus,
  ForkPoint,
  MessageMode,
  Offset,
  Principal,
  Spend,
  UsageSum,
  UsageTime,
} from "@rouse/protocol"
import { ERRORS, type ErrorCode } from "@rouse/protocol"
import { z } from "zod"

/** What several answers are made of. */

export const url: z.ZodType<string> = z.string().meta({ description: "An agent's address: `/type/id`." })
export const time: z.ZodType<string> = z.iso.datetime({ offset: true })
export const offset: z.ZodType<Offset> = z
  .string()
  .meta({ description: "A position in a stream: opaque, and sorted as text." }) as unknown as z.ZodType<Offset>
export const texts: z.ZodType<Readonly<Record<string, string>>> = z.record(z.string(), z.string())
export const status: z.ZodType<EntityStatus> = z.enum([
  "idle",
  "queued",
  "running",
  "suspended",
  "paused",
  "dead",
  "stopped",
])
export const mode: z.ZodType<MessageMode> = z.enum(["steer", "queue", "interrupt"])
export const errorCode: z.ZodType<ErrorCode> = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

export const principal: z.ZodType<Principal> = z.object({
  kind: z.enum(["user", "agent", "schedule", "system"]),
  id: z.string().meta({ description: "A token's name, or an agent's address." }),
})

export const budget: z.ZodType<Budget> = z.object({
  usd: z.number().exactOptional(),
  tokens: z.number().exactOptional(),
  steps: z.number().exactOptional(),
  toolCalls: z.number().exactOptional(),
  wallMs: z.number().exactOptional(),
  children: z.number().exactOptional(),
  depth: z.number().exactOptional(),
  wakesPerMinute: z.number().exactOptional(),
  warnAt: z.number().exactOptional(),
})

export const spend: z.ZodType<Spend> = z.object({
  usd: z.number(),
  tokens: z.number(),
  steps: z.number(),
  toolCalls: z.number(),
})

const sums = {
  calls: z.int(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number(),
  cacheWriteTokens: z.number(),
  usd: z.number(),
  unpriced: z
    .int()
    .meta({ description: "Calls without a price of their own: their part of `usd` is a guess on the dear side." }),
}
export const usageSum: z.ZodType<UsageSum> = z.object(sums)
export const usageGroup: z.ZodType<UsageSum & { readonly key: string }> = z.object({ key: z.string(), ...sums })

export const usageTime: z.ZodType<UsageTime> = z.object({ period: z.string(), key: z.string(), ...sums })

export const forkPoint: z.ZodType<ForkPoint> = z.object({ url, offset })
