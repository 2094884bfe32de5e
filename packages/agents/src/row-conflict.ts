import { RouseError } from "@rouse/protocol"

/** A row of a shared space is not as its writer believed: sending the same again would not mend it. */
export function isRowConflict(error: unknown): boolean {
  return RouseError.is(error, "CONFLICT") && error.details["guard"] === "row"
}
