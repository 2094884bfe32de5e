/** A row's value, wherever it is kept. For statements over `"row"`. */
export const ROW_VALUE = `CASE typeof("row".value) WHEN 'integer' THEN (SELECT value FROM long_value WHERE id = "row".value) ELSE "row".value END`

/**
 * Where rows lie within their entity's. What belongs to a turn (the message, the run that took it, its steps and their parts) has the number that
 * its key begins with, and lies together: a turn's commits change one or two pages, a wake reads full ones, and what a summary takes away leaves
 * whole pages. Messages and runs are counted apart; where the counts differ, each has pages of its own. Other collections have a section each.
 */
const OF_TURNS: ReadonlySet<string> = new Set(["message", "run", "step", "text", "reasoning", "tool_call"])
const NUMBER = /^[a-z](\d{1,15})/

/** The section of a collection's rows. */
export function sectionOf(collection: string): string {
  return OF_TURNS.has(collection) ? "" : collection
}

/** The number of a row's turn; 0 for all others. */
export function turnOf(collection: string, key: string): number {
  return OF_TURNS.has(collection) ? Number(NUMBER.exec(key)?.[1] ?? 0) : 0
}

/** A statement for an entity's rows, of one collection where it is given, as they lie. */
export function rowsSql(collection: string | undefined): string {
  const where = collection === undefined ? "" : " AND section = ? AND collection = ?"
  return `SELECT collection, key, ${ROW_VALUE} AS value FROM "row" WHERE entity = (SELECT id FROM entity WHERE url = ?)${where} ORDER BY section, turn, key, collection`
}

/** What it is asked with. */
export function rowsValues(url: string, collection: string | undefined): string[] {
  return collection === undefined ? [url] : [url, sectionOf(collection), collection]
}

interface Placed {
  readonly collection: string
  readonly key: string
}

/** Rows as they lie, brought into the order of collections, and of keys within each; both by bytes, as SQLite compares them. */
export function byCollection<T extends Placed>(rows: readonly T[]): T[] {
  const collections = new Map<string, T[]>()
  for (const row of rows) {
    const list = collections.get(row.collection)
    if (list === undefined) collections.set(row.collection, [row])
    else list.push(row)
  }
  return [...collections]
    .sort(([a], [b]) => compareBytes(a, b))
    .flatMap(([name, list]) => (OF_TURNS.has(name) ? byKey(list) : list))
}

/** Numbers and keys sort alike as long as the numbers have as many digits. */
function byKey<T extends Placed>(rows: T[]): T[] {
  const isSorted = rows.every((row, at) => at === 0 || (rows[at - 1] as T).key < row.key)
  return isSorted ? rows : rows.sort((a, b) => compareBytes(a.key, b.key))
}

function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
