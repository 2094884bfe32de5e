import { HANDLER_COLLECTIONS, RouseError, SERVER_COLLECTIONS } from "@rouse/protocol"
import type { TestEntity } from "./entity.ts"

const HANDLERS: ReadonlySet<string> = new Set(HANDLER_COLLECTIONS)
const SERVERS: ReadonlySet<string> = new Set(SERVER_COLLECTIONS)

/** @throws {RouseError} `INVALID_ARGS` for a collection that is not the handler's to write. */
export function checkEvent(entity: TestEntity, type: string): void {
  if (HANDLERS.has(type) || (!SERVERS.has(type) && type in entity.definition.state)) return
  throw new RouseError(
    "INVALID_ARGS",
    `a handler of ${entity.definition.name} may not write the collection ${JSON.stringify(type)}`,
  )
}
