import { openapiDocument } from "@rouse/server/openapi"
import type { Io } from "../io.ts"
import { version } from "../version.ts"

/** `rouse openapi`. It asks no server. */
export function openapi(io: Io): void {
  io.out(`${JSON.stringify(openapiDocument(version()), null, 2)}\n`)
}
