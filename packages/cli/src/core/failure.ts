import { ERRORS, RouseError } from "@rouse/protocol"
import type { ErrorCode } from "@rouse/protocol"

/** How a command ended: 0 done, 1 it failed, 2 it was typed wrongly, 130 it was interrupted. */
export type ExitCode = 0 | 1 | 2 | 130

/** What the command line says of a failure. */
export interface Failure {
  readonly code: ErrorCode
  /** One line, without a line break: what went wrong, and what to do about it where there is something. */
  readonly line: string
  readonly exit: ExitCode
}

/** What to do about it, by the error's code. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: "set ROUSE_TOKEN to a token of that server",
  FORBIDDEN: "ask for a token with the scope this needs",
  UNKNOWN_ENTITY: "`rouse ps` lists the agents, `rouse spawn` makes one",
  STORE_LOCKED: "stop the other process, or choose another directory with --data",
  RATE_LIMITED: "try again in a moment",
  OVERLOADED: "try again in a moment",
  SHUTTING_DOWN: "try again in a moment",
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
])
const CUT = new Set(["ECONNRESET", "UND_ERR_SOCKET", "EPIPE"])
const FAULTY = new Set<ErrorCode>(["BAD_REQUEST", "INVALID_ARGS"])
const CAUSES_MAX = 5

/**
 * One line for any thrown value.
 *
 * Pure. `server` is the address that the command talked to, named when it cannot be reached and the error does not say.
 */
export function explain(error: unknown, server: string): Failure {
  const system = systemCode(error)
  const isUnreachable = RouseError.is(error) && error.details["unreachable"] === true
  if (isUnreachable ? system === undefined || !CUT.has(system) : system !== undefined && UNREACHABLE.has(system)) {
    return failure(
      "STORE_UNAVAILABLE",
      `cannot reach ${addressIn(error) ?? server} (${system ?? deepest(error)}): start a server with \`rouse dev\`, or set ROUSE_URL`,
    )
  }
  if (system !== undefined && CUT.has(system)) {
    return failure(
      "STORE_UNAVAILABLE",
      `the connection to ${server} was cut (${system}): see whether the server still runs, then try again`,
    )
  }
  if (RouseError.is(error)) return explainRouse(error)
  return failure("INTERNAL", oneLine(error instanceof Error ? error.message : String(error)))
}

/** An error of how the command was typed. */
export function usage(message: string): RouseError {
  return new RouseError("BAD_REQUEST", message, { details: { usage: true } })
}

function explainRouse(error: RouseError): Failure {
  const said = oneLine(error.message === "" ? ERRORS[error.code].title : error.message)
  const advice = ADVICE[error.code]
  const line = advice === undefined || said.includes(advice) ? said : `${said.replace(/[.:]$/, "")}: ${advice}`
  const exit = error.details["usage"] === true && FAULTY.has(error.code) ? 2 : 1
  return { code: error.code, line, exit }
}

function failure(code: ErrorCode, line: string): Failure {
  return { code, line, exit: 1 }
}

/** The network's code, of the error or of what caused it. */
function systemCode(error: unknown): string | undefined {
  let current = error
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error; depth += 1) {
    if ("code" in current && typeof current.code === "string" && isNetwork(current.code)) return current.code
    current = current instanceof AggregateError ? current.errors[0] : current.cause
  }
  return undefined
}

/** The address that the client says it could not reach. */
function addressIn(error: unknown): string | undefined {
  return error instanceof Error ? /^cannot reach (https?:\/\/\S+?):? /.exec(error.message)?.[1] : undefined
}

/** What the innermost cause says. */
function deepest(error: unknown): string {
  let current = error
  for (let depth = 0; depth < CAUSES_MAX && current instanceof Error && current.cause instanceof Error; depth += 1)
    current = current.cause
  return current instanceof Error ? current.message : String(current)
}

function isNetwork(code: string): boolean {
  return UNREACHABLE.has(code) || CUT.has(code)
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, " ").trim()
}
