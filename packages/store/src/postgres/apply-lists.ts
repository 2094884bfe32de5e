/**
 * What a group of commits tells the database: lists of rows, each with the part `c` of the group that a row belongs to.
 *
 * All lists lie behind one another: `sizes` says how many rows each has, `parts` has the part of each row, `nums` their numbers, `txts` their texts
 * and `byts` their bytes, those of a row in the order of its columns. That is read many times faster than JSON, and a call has few parameters
 * however many lists there are. The function reads the lists in this order, each from `at_c`, `at_n` and `at_t` on.
 */
const LAYOUTS = {
  k_stream: "tree int8, path text, id int8, rev int8, tail int8",
  k_entity: "tree int8, url text, id int8, version int8, seq int8",
  k_observer: "tree int8, path text, n int8, rev int8",
  k_place: "url text, tree int8",
  k_timer: "id text, tree int8",
  k_receipt: "tree int8, key text, there boolean",
  k_work: "id text, tree int8, version int8",
  k_subscription: "tree int8, id text, serial int8, rev int8",
  k_pin: "tree int8, stream int8, path text, position int8",
  k_observation: "url text, name text, tree int8, path text, serial int8, rev int8",
  k_observing: "url text, serials text",
  w_place: "url text, tree int8",
  w_stream_drop: "tree int8, path text, id int8",
  w_stream_new: `tree int8, path text, id int8, lock int8, rev int8, content_type text, closed boolean, closed_by text, stream_seq text,
    created_at int8, ttl_seconds int8, expires_at int8, dies_at int8, horizon int8, source text, source_tree int8, forked_from int8, fork_base int8,
    fork_sub int8, fork_at int8, forks int4, deleted boolean`,
  w_stream: `tree int8, path text, id int8, rev int8, closed boolean, closed_by text, stream_seq text, dies_at int8, horizon int8, forks int4,
    deleted boolean`,
  w_chunk: "tree int8, stream int8, tail int8, data bytea",
  w_producer: "tree int8, stream int8, id text, epoch int8, seq int8",
  w_entity_drop: "tree int8, url text, id int8",
  w_timer_gone: "tree int8, url text",
  w_work_gone: "tree int8, url text",
  w_entity: `tree int8, url text, id int8, type text, name text, status text, version int8, epoch int8, seq int8, parent text, created_at int8,
    active_at int8, active_second int8, due_at int8, dead boolean, tags text, args text, control text`,
  w_entity_on: `tree int8, url text, id int8, status text, version int8, epoch int8, seq int8, active_at int8, active_second int8, due_at int8,
    dead boolean, control text`,
  w_seq: "tree int8, url text, id int8, seq int8",
  w_tag: "tree int8, entity int8, tags text",
  w_row_drop: "tree int8, entity int8, collection text, key text",
  w_row: "tree int8, entity int8, collection text, key text, value text",
  w_timer_drop: "tree int8, id text",
  w_timer: "tree int8, id text, due_at int8, url text, payload text",
  w_work_drop: "tree int8, id text",
  w_work:
    "tree int8, id text, queue text, name text, url text, open boolean, position int8, version int8, payload text",
  w_receipt: "tree int8, key text, fingerprint text, response text, expires_at int8",
  w_observation_drop: "tree int8, path text, serial int8",
  w_observation: `tree int8, path text, serial int8, version int8, url text, name text, filter text, debounce int8, cursor int8, pending boolean,
    due_at int8, timeout_at int8, config text`,
  w_observation_mark: "tree int8, path text, serial int8, cursor int8, pending boolean, due_at int8",
  w_space_drop: "tree int8, stream int8",
  w_space: "tree int8, stream int8, path text, version int8, definition text, created_at int8, rows int8, forget int8",
  w_space_row_drop: "tree int8, stream int8, collection text, key text",
  w_space_row: `tree int8, stream int8, collection text, key text, version int8, made int8, done boolean, token int8, holder text, claim text,
    free_at int8, owner text, value text`,
  w_space_claim:
    "tree int8, stream int8, collection text, key text, done boolean, token int8, holder text, claim text, free_at int8",
  w_queue_drop: "tree int8, stream int8, collection text, queue text, free_at int8, made int8",
  w_queue: "tree int8, stream int8, collection text, queue text, free_at int8, made int8, key text",
  w_index_drop: "tree int8, stream int8, collection text, queue text, key text",
  w_index: "tree int8, stream int8, collection text, queue text, key text",
  w_retention: "kind text, tree int8, stream int8, horizon int8, position int8, holder text, data bytea",
  w_subscription: `kind text, tree int8, serial int8, id text, version int8, pattern text, wake_stream text, idle boolean, due_at int8, pending int8,
    links int8, named int8, config text, state text, path text, acked int8, behind boolean, explicit boolean, name text, value text, created_at int8`,
} as const

export type ApplyList = keyof typeof LAYOUTS

type ColumnType = "int8" | "int4" | "boolean" | "text" | "bytea"

interface Column {
  readonly name: string
  readonly type: ColumnType
}

/** The columns of each list, in the order in which the function reads the lists. */
export const APPLY_LISTS: ReadonlyMap<ApplyList, readonly Column[]> = new Map(
  Object.entries(LAYOUTS).map(([list, layout]) => [list as ApplyList, parse(layout)]),
)

const ORDER = [...APPLY_LISTS.keys()]

/** Numbers that a column takes in a row: bytes are told by where they begin and how many they are. */
const NUMBERS: Readonly<Record<ColumnType, number>> = { int8: 1, int4: 1, boolean: 1, text: 0, bytea: 2 }

/** A row of a part that is done. */
export const live = "w.c <> ALL (stale)"

/**
 * A list as a table `w`, for a statement of the function.
 *
 * Of an array that is not known yet the planner expects few rows, and of a series a thousand: it would look at all of a young table.
 */
export function from(list: ApplyList): string {
  const columns = columnsOf(list)
  const { numbers, texts } = widthOf(columns)
  /** Of the one before the first of a row that is counted from one. */
  let number = -numbers
  let text = -texts
  const selected = columns.map(({ name, type }) => {
    if (type === "text") return `txts[at_t + i::int4 * ${texts}${offset((text += 1))}] AS ${name}`
    number += NUMBERS[type]
    const at = (last: number): string => `nums[at_n + i::int4 * ${numbers}${offset(last)}]`
    if (type === "bytea") return `substr(byts, ${at(number - 1)}::int4, ${at(number)}::int4) AS ${name}`
    if (type === "boolean") return `${at(number)} = 1 AS ${name}`
    return `${at(number)}${type === "int4" ? "::int4" : ""} AS ${name}`
  })
  const rows = `unnest(parts[at_c + 1 : at_c + ${sizeOf(list)}]) WITH ORDINALITY p(c, i)`
  return `(SELECT c, ${selected.join(", ")} FROM ${rows}) w`
}

/** Statements that are only done when the list has rows. */
export function whenAny(list: ApplyList, statements: string): string {
  const { numbers, texts } = widthOf(columnsOf(list))
  const size = sizeOf(list)
  return `  IF ${size} > 0 THEN
    ${statements}
    at_c := at_c + ${size};
    at_n := at_n + ${size} * ${numbers};
    at_t := at_t + ${size} * ${texts};
  END IF;`
}

function sizeOf(list: ApplyList): string {
  return `sizes[${ORDER.indexOf(list) + 1}]`
}

function offset(by: number): string {
  return by === 0 ? "" : by < 0 ? ` - ${-by}` : ` + ${by}`
}

function columnsOf(list: ApplyList): readonly Column[] {
  return APPLY_LISTS.get(list) ?? []
}

function widthOf(columns: readonly Column[]): { readonly numbers: number; readonly texts: number } {
  const numbers = columns.reduce((sum, { type }) => sum + NUMBERS[type], 0)
  return { numbers, texts: columns.filter(({ type }) => type === "text").length }
}

function parse(layout: string): Column[] {
  return layout.split(",").map((column) => {
    const [name = "", type = ""] = column.trim().split(" ")
    return { name, type: type as ColumnType }
  })
}
