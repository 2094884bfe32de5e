import type { CollectionDefinition, StreamDB } from "@durable-streams/state/db"
import { createStreamDB } from "@durable-streams/state/db"
import type { BuiltInCollection, BuiltInRows } from "@rouse/protocol"
import { HANDLER_COLLECTIONS, RouseError, SERVER_COLLECTIONS } from "@rouse/protocol"
import { logPath } from "./core/address.ts"
import { patientReader } from "./log.ts"
import { transportOf } from "./transports.ts"
import type { AnyClient } from "./typed.ts"

/** A collection of the author's: any Standard Schema of its rows, and which field holds their key (`id` when absent). */
export interface AuthorCollection<T = unknown> {
  readonly schema: CollectionDefinition<T>["schema"]
  readonly key?: string
}

/** Deltas are not rows that last: the settled text or reasoning replaces them. */
type KeptCollection = Exclude<BuiltInCollection, "delta">

/** The collections of an entity: the built-in ones, whose rows also have their row's key as `key`, and the author's. */
export type EntityCollections<Rows> = {
  [K in KeptCollection]: CollectionDefinition<BuiltInRows[K] & { readonly key: string }>
} & { [K in keyof Rows]: CollectionDefinition<Rows[K]> }

export type EntityDb<Rows = object> = StreamDB<EntityCollections<Rows>>

export interface EntityDbOptions<Rows> {
  /** The author's collections by name. */
  readonly collections?: { readonly [K in keyof Rows]: AuthorCollection<Rows[K]> }
  /**
   * Begin with the live rows, however long the log is, and also when it is no longer kept whole. Wakes, signals and errors that are over are
   * then not there: they are on the log alone.
   */
  readonly snapshot?: boolean
}

/**
 * An entity's state as TanStack DB collections, kept current from its log. Call `preload()` before reading, and `close()` in the end.
 *
 * Needs the packages `@durable-streams/state` and `@tanstack/db`.
 *
 * @param client One that `createClient` made.
 * @throws {RouseError} `BAD_REQUEST` when `url` is not an address, or a collection has a built-in one's name.
 * @example
 * const note = z.object({ id: z.string(), text: z.string() })
 * const db = entityDb(client, "/support/ann", { collections: { notes: { schema: note } } })
 * await db.preload()
 * console.log(db.collections.notes.toArray, db.collections.message.get("m1"))
 */
export function entityDb<Rows = object>(
  client: AnyClient,
  url: string,
  options: EntityDbOptions<Rows> = {},
): EntityDb<Rows> {
  const transport = transportOf(client)
  const streamOptions = {
    url: transport.url + logPath(url),
    contentType: "application/json",
    warnOnHttp: false,
    ...(options.snapshot === true && { params: { snapshot: "true" } }),
    ...patientReader(transport),
  }
  const state = { ...builtIn(), ...authored(options.collections ?? {}) }
  return createStreamDB({
    streamOptions,
    live: transport.streams() ? "sse" : "long-poll",
    state,
  }) as unknown as EntityDb<Rows>
}

function builtIn(): Record<string, CollectionDefinition> {
  const kept = [...SERVER_COLLECTIONS, ...HANDLER_COLLECTIONS].filter((name) => name !== "delta")
  return Object.fromEntries(kept.map((type) => [type, { schema: ANYTHING, type, primaryKey: "key" }]))
}

function authored(collections: object): Record<string, CollectionDefinition> {
  const named: [string, AuthorCollection][] = Object.entries(collections)
  const taken = builtIn()
  const definitions = named.map(([type, { schema, key = "id" }]) => {
    if (type in taken) throw new RouseError("BAD_REQUEST", `collections: "${type}" is a built-in collection`)
    return [type, { schema, type, primaryKey: key }] as const
  })
  return Object.fromEntries(definitions)
}

/** The built-in rows are checked by the server that writes them. */
const ANYTHING: CollectionDefinition["schema"] = {
  "~standard": { version: 1, vendor: "rouse", validate: (value) => ({ value }) },
}

export { sharedDb } from "./shared-db.ts"
export type { ClaimRow, SharedDb } from "./shared-db.ts"
