import type { Effect } from "@rouse/protocol"
import type { Operation } from "../core/openapi-operation.ts"
import { writeRequest } from "../core/openapi-write.ts"
import type { HttpReply, RequestPlan } from "../http/exchange.ts"
import { exchange } from "../http/exchange.ts"
import { NOT_FOUND, RECONCILE_LIMITS, happened } from "../http/reconcile.ts"
import type { Service } from "../http/service.ts"
import { tool } from "../tool.ts"
import type { Approval, Tool, ToolContext } from "../tool.ts"
import { jsonInput } from "./json-input.ts"

type Input = Readonly<Record<string, unknown>>

/** An operation with where it is called, and how. */
interface Endpoint {
  readonly operation: Operation
  readonly server: URL
  readonly service: Service
}

interface Asked extends Endpoint {
  readonly input: (input: Input, ctx: ToolContext) => Input
  readonly found?: (reply: HttpReply, input: Input) => unknown
}

/** A tool that calls one operation. */
export function operationTool(
  options: Endpoint & {
    readonly name: string
    readonly effect: Effect
    readonly approval: Approval<Input> | undefined
    readonly reconcile: Asked | undefined
  },
): Tool {
  const { operation, service, effect, approval, reconcile } = options
  const { attempts, delayMs } = service.limits
  return tool({
    name: options.name,
    description: operation.summary,
    input: jsonInput(operation.inputSchema),
    inputSchema: operation.inputSchema,
    effect,
    backend: "http",
    ...(approval === undefined ? {} : { approval }),
    ...(effect === "reconcilable" ? { retry: { attempts, delayMs } } : {}),
    execute: async (input: Input, ctx): Promise<unknown> => {
      const plan = planOf(options, input, ctx, effect === "pure" ? undefined : service.keyHeader)
      return (await exchange({ plan, service, effect, ctx })).body
    },
    ...(reconcile === undefined ? {} : { reconcile: (input: Input, ctx: ToolContext) => ask(reconcile, input, ctx) }),
  })
}

async function ask(asked: Asked, input: Input, ctx: ToolContext): Promise<unknown> {
  const { service } = asked
  const plan = planOf(asked, asked.input(input, ctx), ctx, undefined)
  const reply = await exchange({ plan, service, effect: "pure", ctx, limits: RECONCILE_LIMITS, accepts: NOT_FOUND })
  if (asked.found !== undefined) return asked.found(reply, input)
  return happened(reply) ? reply.body : undefined
}

function planOf(
  { operation, server }: Endpoint,
  input: Input,
  ctx: ToolContext,
  keyHeader: string | undefined,
): RequestPlan {
  const { path, query, headers, body } = writeRequest(operation, input)
  const url = new URL(server)
  url.pathname = `${server.pathname.replace(/\/$/, "")}${path}`
  url.search = query
  url.hash = ""
  return {
    method: operation.method,
    url,
    headers: {
      accept: "application/json, text/*;q=0.9, */*;q=0.5",
      ...headers,
      ...(body === undefined ? {} : { "content-type": body.contentType }),
      ...(keyHeader === undefined ? {} : { [keyHeader]: ctx.idempotencyKey }),
    },
    ...(body === undefined ? {} : { body: new TextEncoder().encode(body.text) }),
  }
}
