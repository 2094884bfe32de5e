import { HANDLER_COLLECTIONS, RouseError, SERVER_COLLECTIONS } from "@rouse/protocol"
import type { Json, JsonObject } from "@rouse/protocol"
import { change, removal } from "./batch.ts"
import { toJson, validate } from "./core/validate.ts"
import type { CollectionSpec, EntityDefinition, OlderRows } from "./entity.ts"
import type { Session } from "./session.ts"

const BUILT_IN: ReadonlySet<string> = new Set([...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS])

/**
 * Brings the author's rows to the definition's schema, before its handler sees them. What it changes is in the wake's first commit, with the
 * schema that the rows are of from then on: either both are durable, or the next attempt does it again.
 *
 * @throws {RouseError} `CONFLICT` when the rows are of a newer schema than the definition knows; `INVALID_ARGS` when a row that the author's
 *   `migrate` made does not match; whatever `migrate` throws.
 */
export async function migrateRows(definition: EntityDefinition, schema: number, session: Session): Promise<void> {
  const known = session.entity.schema
  if (known === schema) return
  const rows = authorsRows(session)
  const isNew = known === undefined && Object.keys(rows).length === 0
  const from = known ?? 1
  if (!isNew && from > schema) throw newer(definition, from, schema)
  session.schema = schema
  if (isNew || from === schema || !definition.migrate) return
  const migrated: Readonly<Record<string, readonly unknown[] | undefined>> = await definition.migrate(rows, from)
  forgetWrites(session)
  for (const [collection, made] of Object.entries(migrated)) {
    const spec = definition.state[collection]
    if (!spec) throw new RouseError("INVALID_ARGS", `migrate: there is no collection ${JSON.stringify(collection)}`)
    await replace(session, collection, spec, made ?? [])
  }
}

function authorsRows({ rows }: Session): OlderRows {
  const names = rows.collections().filter((name) => !BUILT_IN.has(name))
  return Object.fromEntries(names.map((name) => [name, structuredClone(rows.list(name)) as unknown as JsonObject[]]))
}

/** What an older version's attempt of this very wake had written stays: its rows were migrated, and are not to be taken back. */
function forgetWrites({ rows, began, writer }: Session): void {
  for (const key of rows.keys("memo")) {
    if (!key.startsWith(`${began}:state:`)) continue
    rows.delete("memo", key)
    writer.batch.events.push(removal("memo", key))
  }
}

async function replace(
  session: Session,
  collection: string,
  spec: CollectionSpec,
  made: readonly unknown[],
): Promise<void> {
  const { rows, writer } = session
  const before = new Map(rows.entries(collection))
  for (const row of made) {
    const what = `migrate: ${collection}`
    const value = toJson(await validate(spec.schema, row, what), what)
    const key = keyOf(value, spec, what)
    const old = before.get(key)
    before.delete(key)
    if (old !== undefined && JSON.stringify(old) === JSON.stringify(value)) continue
    writer.batch.events.push(change(collection, key, old === undefined ? "insert" : "update", value))
    rows.put(collection, key, value)
  }
  for (const key of before.keys()) {
    writer.batch.events.push(removal(collection, key))
    rows.delete(collection, key)
  }
}

function keyOf(value: Json, spec: CollectionSpec, what: string): string {
  const key = (value as JsonObject | null)?.[spec.key]
  if ((typeof key === "string" && key !== "") || typeof key === "number") return String(key)
  throw new RouseError("INVALID_ARGS", `${what}.${spec.key}: a row needs its key here, a text or a number`)
}

function newer({ name }: EntityDefinition, from: number, schema: number): RouseError {
  return new RouseError(
    "CONFLICT",
    `the rows of this agent are of schema ${from}, and this version of ${name} knows up to ${schema}: route it to a newer one`,
  )
}
