import { type EntityUrl, type Json, parseEntityUrl } from "@rouse/protocol"
import type { Plane } from "./plane.ts"

/**
 * Checks what a person or an app sends against what the type says it takes, if it does. What agents send each other is theirs to know.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the path below `content` and the rule.
 */
export async function checkMessage(plane: Plane, to: EntityUrl, content: Json): Promise<void> {
  const type = parseEntityUrl(to)?.type ?? ""
  await plane.types.resolve(type, to, undefined)?.checkMessage?.(content)
}
