import { RouseError } from "@rouse/protocol"

/** Where the tables are, when nobody says. */
export const DEFAULT_SCHEMA = "rouse"
const SCHEMA = /^[a-z_][a-z0-9_]{0,40}$/

/** @throws {RouseError} `BAD_REQUEST` for a schema that is no plain name. */
export function checkSchema(schema: string): void {
  if (SCHEMA.test(schema)) return
  throw new RouseError("BAD_REQUEST", "schema: must be lower-case letters, digits and underscores", {
    details: { field: "schema" },
  })
}
