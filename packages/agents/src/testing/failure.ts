import { RouseError } from "@rouse/protocol"
import type { FailureInfo } from "@rouse/protocol"

export function failureOf(error: unknown): FailureInfo {
  const message = error instanceof Error ? error.message : String(error)
  return { code: RouseError.is(error) ? error.code : "HANDLER_FAILED", message }
}
