import type {
  ClaimsReply,
  CommitReply,
  Dispatch,
  EndpointHealth,
  RenewReply,
  Routing,
  ServerInfo,
  ToolClaims,
  ToolHeartbeat,
  ToolSettled,
  TypeInfo,
} from "@rouse/protocol"
import { json, jsonObject } from "@rouse/protocol/schemas"
import { z } from "zod"
import { message } from "./operators.ts"
import { offset, texts, time, url } from "./parts.ts"

const dispatch: z.ZodType<Dispatch> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("local") }),
  z.object({ kind: z.literal("webhook"), url: z.string() }),
  z.object({ kind: z.literal("pull") }),
])

const health: z.ZodType<EndpointHealth> = z.object({
  state: z.enum(["ok", "open", "probing", "idle"]),
  failures: z.int(),
  reason: z.string().exactOptional(),
  retryAt: time.exactOptional(),
})

const routing: z.ZodType<Routing> = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("latest") }),
  z.object({ kind: z.literal("pin"), version: z.string() }),
  z.object({ kind: z.literal("canary"), version: z.string(), percent: z.number(), base: z.string() }),
])

const version = z.object({
  version: z.string(),
  dispatch,
  registeredAt: time,
  supersededBy: z.string().exactOptional(),
  health,
})

export const typeInfo: z.ZodType<TypeInfo> = z.object({
  name: z.string(),
  description: z.string(),
  args: jsonObject.exactOptional(),
  message: jsonObject.exactOptional(),
  collections: z.array(z.string()),
  dispatch,
  version: z.string().exactOptional(),
  health,
  versions: z.array(version).exactOptional(),
  routing: routing.exactOptional(),
})
export const typeList: z.ZodType<{ readonly types: readonly TypeInfo[] }> = z.object({ types: z.array(typeInfo) })

export const serverInfo: z.ZodType<ServerInfo> = z.object({
  name: z.literal("rouse"),
  version: z.string(),
  types: z.array(typeInfo),
  authenticated: z.boolean().meta({ description: "Whether requests need a token." }),
})

const wake = z.object({
  id: z.string(),
  epoch: z.int(),
  attempt: z.int(),
  first: z.boolean(),
  reasons: z.array(z.object({ kind: z.string(), message: z.string().exactOptional() })),
  deadlineAtMs: z.number().nullable(),
  version: z.string().exactOptional(),
})
const entity = z.object({
  url,
  type: z.string(),
  id: z.string(),
  args: jsonObject,
  tags: texts,
  parent: url.nullable(),
  createdAt: time,
  schema: z.int().exactOptional(),
})
const delivery = z.object({
  kind: z.literal("wake"),
  delivery: z.string(),
  request: z.object({
    wake,
    entity,
    rows: z.array(z.object({ collection: z.string(), key: z.string(), value: json })),
    policy: z.array(jsonObject).exactOptional(),
  }),
  claim: z.string().meta({ description: "The bearer token of what the handler does in this wake." }),
  leaseMs: z.number(),
  interrupting: z.string().exactOptional(),
})
export const claimsReply: z.ZodType<ClaimsReply> = z.object({
  claims: z.array(delivery),
}) as unknown as z.ZodType<ClaimsReply>

export const renewReply: z.ZodType<RenewReply> = z.object({
  leaseMs: z.number(),
  interrupting: z.string().exactOptional(),
})

export const commitReply: z.ZodType<CommitReply & Pick<RenewReply, "interrupting">> = z.object({
  offset,
  inbox: z.array(z.object({ collection: z.string(), key: z.string(), value: message })),
  granted: z.boolean().exactOptional(),
  interrupting: z.string().exactOptional(),
})

export const keySet: z.ZodType<{ readonly keys: readonly object[] }> = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string() })),
})

export const toolClaims: z.ZodType<ToolClaims> = z.object({
  claims: z.array(
    z.object({
      entity: url,
      call: z.string(),
      claim: z.string().meta({ description: "Goes with all that is said of the call." }),
      tool: z.string(),
      queue: z.string(),
      input: json,
      effect: z.enum(["pure", "idempotent", "reconcilable", "once"]),
      idempotencyKey: z.string(),
      attempt: z.int(),
      reconcile: z.boolean(),
      leaseMs: z.number(),
      timeoutMs: z.number().exactOptional(),
    }),
  ),
})
export const toolHeartbeat: z.ZodType<ToolHeartbeat> = z.object({
  leaseMs: z.number(),
  kept: z.boolean().exactOptional(),
})
export const toolSettled: z.ZodType<ToolSettled> = z.object({
  status: z.enum(["done", "failed", "unknown", "queued"]),
  applied: z.boolean(),
})

export const serverHealth: z.ZodType<{ readonly status: string }> = z.object({ status: z.enum(["ok", "ready"]) })
export const openapiDocument: z.ZodType<object> = z.looseObject({ openapi: z.string() })
