import { problemOf, RouseError } from "@rouse/protocol"
import type { Log } from "../log.ts"

/** How long a client should wait before it tries again, when the server does not know better. */
const RETRY_AFTER_SECONDS = "1"

/** The problem document (RFC 9457) that answers an error. What was not expected is logged, and not told. */
export function problemResponse(error: unknown, log: Log): Response {
  const problem = problemOf(error)
  if (!RouseError.is(error) || problem.code === "INTERNAL") {
    log.error("a request failed", { error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  }
  const headers = new Headers({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  })
  if (problem.status === 401) headers.set("www-authenticate", 'Bearer realm="rouse"')
  if (problem.status === 429 || problem.status === 503) headers.set("retry-after", RETRY_AFTER_SECONDS)
  return new Response(JSON.stringify(problem), { status: problem.status, headers })
}
