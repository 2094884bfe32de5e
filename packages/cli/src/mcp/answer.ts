import { RouseError } from "@rouse/client"
import type { CallToolResult, ServerContext } from "@modelcontextprotocol/server"

/** A tool's answer: the value as it is for programs, and as a text for models. */
export function answer(value: object): CallToolResult {
  return { content: [{ type: "text", text: JSON.stringify(value) }], structuredContent: { ...value } }
}

/** Runs a tool. What Rouse refuses is the tool's own error, which the model reads and mends. */
export async function answering(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    return answer(await work())
  } catch (error) {
    if (!RouseError.is(error)) throw error
    return { isError: true, content: [{ type: "text", text: `${error.code}: ${error.message}${hint(error.code)}` }] }
  }
}

function hint(code: string): string {
  if (code === "UNKNOWN_ENTITY") return ". spawn_agent makes an agent."
  return code === "UNKNOWN_TYPE" ? ". list_types tells which types there are." : ""
}

/** The caller's own key for this call, as Rouse's agents send it: a call that is repeated does its work once. */
export function keyOf(ctx: ServerContext): { readonly idempotencyKey?: string } {
  const key = ctx.mcpReq._meta?.["rouse/idempotencyKey"]
  return typeof key === "string" && key !== "" ? { idempotencyKey: key } : {}
}

/** How often a caller that asked for it is told that its call is under way. */
const PROGRESS_MS = 5_000

/** Tells the caller, as long as `work` takes, that it goes on: callers give up on what is silent. */
export async function withProgress<T>(ctx: ServerContext, work: Promise<T>): Promise<T> {
  const token = ctx.mcpReq._meta?.progressToken
  if (token === undefined) return await work
  let progress = 0
  const timer = setInterval(() => {
    progress += 1
    const told = ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken: token, progress } })
    told.catch(() => clearInterval(timer))
  }, PROGRESS_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
