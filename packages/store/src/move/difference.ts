import type { StoreReader } from "./end.ts"
import { keyOf } from "./record.ts"
import type { Field, MoveRecord } from "./record.ts"
import type { MoveTable } from "./tables.ts"

/** Where two stores differ, of the records of one table in the order of their keys. */
export interface Difference {
  readonly key: readonly Field[]
  readonly kind: "missing" | "added" | "changed"
}

/** The first key that one of two stores does not have, or of which the records differ; undefined when there is none. */
export async function firstDifference(
  table: MoveTable,
  source: StoreReader,
  target: StoreReader,
): Promise<Difference | undefined> {
  const [left, right] = [records(source, table), records(target, table)]
  try {
    let [a, b] = [await left.next(), await right.next()]
    for (;;) {
      if (a.done === true) return b.done === true ? undefined : { key: keyOf(table, b.value), kind: "added" }
      if (b.done === true) return { key: keyOf(table, a.value), kind: "missing" }
      const order = compareKeys(keyOf(table, a.value), keyOf(table, b.value))
      if (order < 0) return { key: keyOf(table, a.value), kind: "missing" }
      if (order > 0) return { key: keyOf(table, b.value), kind: "added" }
      if (!sameRecord(a.value, b.value)) return { key: keyOf(table, a.value), kind: "changed" }
      ;[a, b] = [await left.next(), await right.next()]
    }
  } finally {
    await left.return(undefined)
    await right.return(undefined)
  }
}

async function* records(reader: StoreReader, table: MoveTable): AsyncGenerator<MoveRecord, void, undefined> {
  for await (const batch of reader.read(table, { sorted: true })) yield* batch
}

/** As both engines sort: numbers by value, text by its bytes. */
function compareKeys(a: readonly Field[], b: readonly Field[]): number {
  for (const [at, field] of a.entries()) {
    const other = b[at] ?? null
    const order =
      typeof field === "number" && typeof other === "number"
        ? field - other
        : Buffer.compare(Buffer.from(String(field)), Buffer.from(String(other)))
    if (order !== 0) return order
  }
  return 0
}

function sameRecord(a: MoveRecord, b: MoveRecord): boolean {
  return a.every((field, at) => {
    const other = b[at]
    return field instanceof Uint8Array && other instanceof Uint8Array
      ? Buffer.compare(field, other) === 0
      : field === other
  })
}
