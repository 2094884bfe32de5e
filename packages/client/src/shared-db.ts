import type { CollectionDefinition, StreamDB } from "@durable-streams/state/db"
import { createStreamDB } from "@durable-streams/state/db"
import { isEntityId, RouseError, SPACE_COLLECTIONS, sharedStreamPath } from "@rouse/protocol"
import type { AuthorCollection } from "./db.ts"
import { patientReader } from "./log.ts"
import { transportOf } from "./transports.ts"
import type { AnyClient } from "./typed.ts"

/** Who works on a row, as a space's log has it. */
export interface ClaimRow {
  /** `collection/key` of the row. */
  readonly name: string
  readonly collection: string
  readonly key: string
  readonly token: number
  readonly status: "held" | "completed"
  readonly holder?: string
  readonly expiresAt?: string
}

export type SharedDb<Rows> = StreamDB<
  { claim: CollectionDefinition<ClaimRow> } & { [K in keyof Rows]: CollectionDefinition<Rows[K]> }
>

/**
 * A shared space as TanStack DB collections, kept current from its log: the author's, and `claim`. Call `preload()` before reading, and
 * `close()` in the end. Needs the packages `@durable-streams/state` and `@tanstack/db`.
 *
 * @param client One that `createClient` made.
 * @throws {RouseError} `BAD_REQUEST` when `id` is no space's, or a collection has the name of one that every space has.
 */
export function sharedDb<Rows = object>(
  client: AnyClient,
  id: string,
  collections: { readonly [K in keyof Rows]: AuthorCollection<Rows[K]> },
): SharedDb<Rows> {
  if (!isEntityId(id)) throw new RouseError("BAD_REQUEST", `id: "${id}" is not the id of a shared space`)
  const transport = transportOf(client)
  const streamOptions = {
    url: `${transport.url}/v1/stream/${sharedStreamPath(id)}`,
    contentType: "application/json",
    warnOnHttp: false,
    params: { snapshot: "true" },
    ...patientReader(transport),
  }
  const state = { claim: CLAIM, ...authored(collections) }
  return createStreamDB({
    streamOptions,
    live: transport.streams() ? "sse" : "long-poll",
    state,
  }) as unknown as SharedDb<Rows>
}

function authored(collections: object): Record<string, CollectionDefinition> {
  const named: [string, AuthorCollection][] = Object.entries(collections)
  return Object.fromEntries(
    named.map(([type, { schema, key = "id" }]) => {
      if (SPACE_COLLECTIONS.includes(type)) {
        throw new RouseError("BAD_REQUEST", `collections: "${type}" is a collection that every space has`)
      }
      return [type, { schema, type, primaryKey: key }]
    }),
  )
}

const CLAIM: CollectionDefinition = {
  schema: { "~standard": { version: 1, vendor: "rouse", validate: (value) => ({ value }) } },
  type: "claim",
  primaryKey: "name",
}
