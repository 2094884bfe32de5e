/**
 * What a store is, whichever engine keeps it: these tables, whose records are what one engine hands to the other. Both engines have tables of the same
 * names; a test holds their columns against these.
 *
 * - A record names what it belongs to, so that its key means something to people, and so that an engine that places things by name can: a batch has the path
 *   of its stream, a row the address of its entity. Numbers are kept as well: offsets are made of them.
 * - What follows from other records is not here; each writer makes it anew: trees and locks, indexes by tags, queues of spaces, the flag of dead letters,
 *   places of rows. Neither is what one process or one engine has for itself: replicas, names of groups of commits, the rubbish of deleted streams.
 * - `era` of a batch is how many marks of the time were made before it was written: both engines keep such marks, each in its own way.
 */

export type ColumnType = "text" | "int" | "bool" | "bytes"
export type OwnerTable = "stream" | "entity" | "subscription"

export interface MoveTable {
  readonly name: string
  /** In the order of a record's fields. Bytes come last. */
  readonly columns: Readonly<Record<string, ColumnType>>
  /** Columns that tell a record from all others of its table. */
  readonly key: readonly string[]
  /** Whose the records are: found by its number. Records of what is gone are left behind. */
  readonly owner?: {
    readonly table: OwnerTable
    /** The column that has its number. */
    readonly by: string
    /** Columns that are read off the owner, and not kept with the record. */
    readonly read: readonly string[]
  }
}

function table(
  name: string,
  key: readonly string[],
  columns: Readonly<Record<string, ColumnType>>,
  owner?: MoveTable["owner"],
): MoveTable {
  return { name, key, columns, ...(owner === undefined ? {} : { owner }) }
}

const OF_STREAM = { table: "stream", by: "stream", read: ["path"] } as const
const OF_ENTITY = { table: "entity", by: "entity", read: ["url"] } as const
const OF_SUBSCRIPTION = { table: "subscription", by: "subscription", read: ["id"] } as const

/** In the order in which they are copied: what others refer to first. */
export const MOVE_TABLES: readonly MoveTable[] = [
  table("era", ["n"], { n: "int", at: "int" }),
  table("entity", ["url"], {
    id: "int",
    url: "text",
    type: "text",
    name: "text",
    status: "text",
    version: "int",
    epoch: "int",
    seq: "int",
    parent: "text",
    created_at: "int",
    active_at: "int",
    due_at: "int",
    tags: "text",
    args: "text",
    control: "text",
  }),
  table("stream", ["path"], {
    id: "int",
    path: "text",
    content_type: "text",
    closed: "bool",
    closed_by: "text",
    stream_seq: "text",
    created_at: "int",
    ttl_seconds: "int",
    expires_at: "int",
    dies_at: "int",
    horizon: "int",
    source: "text",
    forked_from: "int",
    fork_base: "int",
    fork_sub: "int",
    fork_at: "int",
    forks: "int",
    deleted: "bool",
  }),
  table("chunk", ["path", "tail"], { path: "text", stream: "int", tail: "int", era: "int", data: "bytes" }, OF_STREAM),
  table("producer", ["path", "id"], { path: "text", stream: "int", id: "text", epoch: "int", seq: "int" }, OF_STREAM),
  table("snapshot", ["path", "position"], { path: "text", stream: "int", position: "int", data: "bytes" }, OF_STREAM),
  table("trimmed", ["path"], { path: "text", stream: "int", until: "int" }, OF_STREAM),
  table("pin", ["path", "holder"], { path: "text", stream: "int", holder: "text", position: "int" }, OF_STREAM),
  table(
    "row",
    ["url", "collection", "key"],
    { url: "text", entity: "int", collection: "text", key: "text", value: "text" },
    OF_ENTITY,
  ),
  table("timer", ["id"], { id: "text", due_at: "int", url: "text", payload: "text" }),
  table("work", ["id"], {
    id: "text",
    queue: "text",
    name: "text",
    url: "text",
    open: "bool",
    position: "int",
    version: "int",
    payload: "text",
  }),
  table("receipt", ["key"], { key: "text", fingerprint: "text", response: "text", expires_at: "int" }),
  table("subscription", ["id"], {
    serial: "int",
    id: "text",
    version: "int",
    pattern: "text",
    wake_stream: "text",
    idle: "bool",
    due_at: "int",
    pending: "int",
    links: "int",
    named: "int",
    config: "text",
    state: "text",
  }),
  table(
    "subscribed",
    ["id", "path"],
    { id: "text", subscription: "int", path: "text", acked: "int", pending: "bool", explicit: "bool" },
    OF_SUBSCRIPTION,
  ),
  table("observation", ["url", "name"], {
    serial: "int",
    url: "text",
    name: "text",
    version: "int",
    path: "text",
    filter: "text",
    debounce: "int",
    cursor: "int",
    pending: "bool",
    due_at: "int",
    timeout_at: "int",
    config: "text",
  }),
  table(
    "space",
    ["path"],
    {
      path: "text",
      stream: "int",
      version: "int",
      definition: "text",
      created_at: "int",
      rows: "int",
      forget: "int",
    },
    { ...OF_STREAM, read: [] },
  ),
  table(
    "space_row",
    ["path", "collection", "key"],
    {
      path: "text",
      stream: "int",
      collection: "text",
      key: "text",
      version: "int",
      made: "int",
      done: "bool",
      token: "int",
      holder: "text",
      claim: "text",
      free_at: "int",
      owner: "text",
      value: "text",
    },
    OF_STREAM,
  ),
  table("secret", ["name"], { name: "text", value: "text", created_at: "int" }),
]

/** The columns that an engine keeps with the record itself. */
export function keptColumns({ columns, owner }: MoveTable): string[] {
  return Object.keys(columns).filter((column) => owner?.read.includes(column) !== true)
}
