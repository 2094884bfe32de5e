import { isEntityId, RouseError } from "@rouse/protocol"
import type {
  Json,
  JsonObject,
  Offset,
  SharedDefinition,
  SharedHeld,
  SharedInfo,
  SharedList,
  SharedOp,
  SharedPage,
  SharedQuery,
  SharedRow,
  SharedWritten,
} from "@rouse/protocol"
import { queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

/** A change of one collection: as `SharedOp`, without its name. */
export type RowChange = SharedOp extends infer O ? (O extends SharedOp ? Omit<O, "collection"> : never) : never

export interface ClaimRequest {
  /** Exactly the properties of one index, with what they are to equal. */
  readonly where?: JsonObject | undefined
  /** 1 when absent, 100 at most. */
  readonly limit?: number | undefined
  /** How long they are held unless renewed, milliseconds. A minute when absent. */
  readonly leaseMs?: number | undefined
  /** Who works on them. Whoever the token says when absent. */
  readonly holder?: string | undefined
}

/**
 * A shared space: rows that many agents and people write. See docs/shared.md.
 *
 * A refused change throws: `CONFLICT` when a row has another version (`details` has it, and the `value` as JSON text), `ALREADY_CLAIMED`,
 * `CLAIM_LOST`, `NOT_FOUND`, `ALREADY_EXISTS`, `INVALID_ARGS` naming the property.
 */
export interface SharedClient<Rows = Readonly<Record<string, Json>>> {
  readonly id: string
  info(options?: CallOptions): Promise<SharedInfo>
  /** Makes the space, or gives it another definition: a new schema is for what is written from now on. */
  define(definition: SharedDefinition, options?: WriteOptions): Promise<SharedInfo>
  /** Removes the space with its rows and its log. Needs a token of scope `admin`. */
  remove(options?: WriteOptions): Promise<void>
  /** The space as a bundle: lines of JSON, as they come. `client.import` makes a space of it. */
  export(options?: CallOptions): Promise<ReadableStream<Uint8Array>>
  /** One page of rows, by key; with `at` as they were at an offset of the space's log. */
  rows<C extends keyof Rows & string>(
    collection: C,
    query?: SharedQuery & { readonly at?: Offset | undefined },
    options?: CallOptions,
  ): Promise<SharedPage<Rows[C]>>
  /** @throws {RouseError} `NOT_FOUND`. */
  row<C extends keyof Rows & string>(collection: C, key: string, options?: CallOptions): Promise<SharedRow<Rows[C]>>
  /** Changes rows in one commit: all of it or nothing, and once. */
  write(collection: keyof Rows & string, changes: readonly RowChange[], options?: WriteOptions): Promise<SharedWritten>
  insert<C extends keyof Rows & string>(
    collection: C,
    rows: readonly InsertOf<Rows[C]>[],
    options?: WriteOptions,
  ): Promise<SharedWritten>
  /** Takes rows that nobody has. */
  claim<C extends keyof Rows & string>(
    collection: C,
    request?: ClaimRequest,
    options?: WriteOptions,
  ): Promise<readonly SharedHeld<Rows[C]>[]>
}

/** A row to insert. */
type InsertOf<T> = T extends object ? T : JsonObject

export interface SharedSpaces {
  /** @throws {RouseError} `BAD_REQUEST` when a space cannot be named so. */
  shared(id: string): SharedClient
  /** The server's shared spaces, by id. */
  sharedSpaces(options?: CallOptions): AsyncIterableIterator<SharedInfo>
}

export function sharedSpaces(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): SharedSpaces {
  return {
    shared: (id) => sharedClient(transport, write, id),
    sharedSpaces: (options = {}) => listAll(transport, options),
  }
}

function sharedClient(transport: Transport, write: (call: Call, o?: WriteOptions) => Call, id: string): SharedClient {
  if (!isEntityId(id)) throw new RouseError("BAD_REQUEST", `id: "${id}" is not the id of a shared space`)
  const { json } = transport
  const path = (...below: readonly string[]): string => ["/v1/shared", id, ...below.map(encodeURIComponent)].join("/")
  const change: SharedClient["write"] = (collection, ops, o) =>
    json(write({ path: path(collection), body: { ops } }, o))
  return {
    id,
    info: (o) => json({ path: path(), signal: o?.signal }),
    define: (definition, o) => json(write({ method: "PUT", path: path(), body: definition }, o)),
    remove: (o) => json(write({ method: "DELETE", path: path() }, o)),
    export: async (o) => {
      const { body } = await transport.open({ path: path(), accept: "application/x-ndjson", signal: o?.signal })
      return body ?? new Blob([]).stream()
    },
    rows: (collection, { where, ...query } = {}, o) => {
      const filter = where === undefined ? undefined : JSON.stringify(where)
      return json({ path: path(collection) + queryString({ ...query, where: filter }), signal: o?.signal })
    },
    row: (collection, key, o) => json({ path: path(collection, key), signal: o?.signal }),
    write: change,
    insert: (collection, rows, o) =>
      change(
        collection,
        rows.map((value) => ({ op: "insert", value: value as JsonObject }) as const),
        o,
      ),
    claim: async (collection, request = {}, o) => {
      const body = { collection, ...request }
      return (await json<{ rows: never }>(write({ path: path("claims"), body }, o))).rows
    },
  }
}

async function* listAll(transport: Transport, { signal }: CallOptions): AsyncGenerator<SharedInfo> {
  let after: string | undefined
  do {
    const page = await transport.json<SharedList>({ path: `/v1/shared${queryString({ after })}`, signal })
    yield* page.spaces
    after = page.next
  } while (after !== undefined)
}
