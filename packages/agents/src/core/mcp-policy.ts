import type { Effect } from "@rouse/protocol"

/** What a server says of a tool: hints, which a server that is not trusted may get wrong. */
export interface McpAnnotations {
  readonly readOnlyHint?: boolean | undefined
  readonly idempotentHint?: boolean | undefined
}

/** The effect class of a tool that its author did not give one: by the server's hints, else the one that is never run twice. */
export function mcpEffect(annotations: McpAnnotations | undefined): Effect {
  if (annotations?.readOnlyHint === true) return "pure"
  return annotations?.idempotentHint === true ? "idempotent" : "once"
}

/** What a failed call says about whether the server ran it. */
export type McpLoss =
  /** It was never run: the connection or the session was not there. */
  | "refused"
  /** Nobody knows: the connection was lost between the request and its answer. */
  | "lost"
  /** Nobody knows: no answer in time. */
  | "timeout"
  /** The server answered, and it was an error. */
  | "answered"

const STATUS_NOT_FOUND = 404
const STATUS_SERVER = 500

/** Reads an error of the MCP SDK, by its codes alone. */
export function mcpLoss(error: unknown): McpLoss {
  const { code, data } = (typeof error === "object" && error !== null ? error : {}) as {
    readonly code?: unknown
    readonly data?: { readonly status?: unknown }
  }
  switch (code) {
    case "REQUEST_TIMEOUT":
      return "timeout"
    case "NOT_CONNECTED":
    case "NOT_INITIALIZED":
      return "refused"
    case "CONNECTION_CLOSED":
    case "SEND_FAILED":
      return "lost"
  }
  const status = data?.status
  if (typeof status === "number") {
    if (status === STATUS_NOT_FOUND) return "refused"
    return status >= STATUS_SERVER ? "lost" : "answered"
  }
  if (!(error instanceof TypeError) && typeof code !== "string") return "answered"
  const { code: cause } = (error instanceof Error ? (error.cause ?? {}) : {}) as { readonly code?: unknown }
  return cause === "ECONNREFUSED" || cause === "ENOTFOUND" ? "refused" : "lost"
}

/** What to do about a call that failed. */
export type McpNext = "again" | "unknown" | "fail"

/**
 * @param tries Tries so far, from 1.
 * @param triesMax Tries in all.
 */
export function mcpNext(loss: McpLoss, effect: Effect, tries: number, triesMax: number): McpNext {
  const safe = effect === "pure" || effect === "idempotent"
  if (loss === "answered") return "fail"
  if (loss === "timeout") return "unknown"
  if (loss === "lost" && !safe) return "unknown"
  return tries < triesMax ? "again" : loss === "refused" ? "fail" : "unknown"
}

/** What a server says unasked, counted in windows of a second. */
export interface FloodWindow {
  readonly startedAtMs: number
  readonly messages: number
}

const WINDOW_MS = 1_000

export function countMessage(window: FloodWindow, nowMs: number): FloodWindow {
  return nowMs - window.startedAtMs >= WINDOW_MS
    ? { startedAtMs: nowMs, messages: 1 }
    : { startedAtMs: window.startedAtMs, messages: window.messages + 1 }
}
