import type { MoveTable } from "./tables.ts"

export type Field = string | number | boolean | Uint8Array | null
/** One record of a table: its fields, in the order of the table's columns. */
export type MoveRecord = readonly Field[]

/** What goes from one engine to the other at once: memory does not grow with the store. */
const BATCH_RECORDS_MAX = 1_000
const BATCH_BYTES_MAX = 1_048_576
/** What a field of a number costs, about. */
const FIELD_BYTES = 8

export function bytesOfRecord(record: MoveRecord): number {
  return record.reduce<number>((sum, field) => sum + bytesOfField(field), 0)
}

function bytesOfField(field: Field): number {
  return typeof field === "string" || field instanceof Uint8Array ? field.length : FIELD_BYTES
}

/** A column of a record. */
export function fieldOf(table: MoveTable, record: MoveRecord, column: string): Field {
  const at = Object.keys(table.columns).indexOf(column)
  return record[at] ?? null
}

/** The fields of a record by their columns. */
export function fieldsOf(table: MoveTable, record: MoveRecord): Record<string, Field> {
  return Object.fromEntries(Object.keys(table.columns).map((column, at) => [column, record[at] ?? null]))
}

export function keyOf(table: MoveTable, record: MoveRecord): readonly Field[] {
  return table.key.map((column) => fieldOf(table, record, column))
}

/** A key, for people. */
export function showKey(key: readonly Field[]): string {
  return key.map((field) => (typeof field === "string" ? JSON.stringify(field) : String(field))).join(" ")
}

/** Collects records until they are enough for a batch. */
export class Batch {
  #records: MoveRecord[] = []
  #bytes = 0

  /** Returns the batch that is full with this record, if it is. */
  add(record: MoveRecord): readonly MoveRecord[] | undefined {
    this.#records.push(record)
    this.#bytes += bytesOfRecord(record)
    const isFull = this.#records.length >= BATCH_RECORDS_MAX || this.#bytes >= BATCH_BYTES_MAX
    return isFull ? this.take() : undefined
  }

  take(): readonly MoveRecord[] {
    const records = this.#records
    this.#records = []
    this.#bytes = 0
    return records
  }
}
