import { RouseError } from "@rouse/protocol"
import { Checksum, sameSum } from "./checksum.ts"
import type { TableSum } from "./checksum.ts"
import { decideMove } from "./decide.ts"
import { firstDifference } from "./difference.ts"
import type { MoveEnd, StoreReader, StoreWriter } from "./end.ts"
import { keyOf, showKey } from "./record.ts"
import type { MoveRecord } from "./record.ts"
import { MOVE_TABLES } from "./tables.ts"
import type { MoveTable } from "./tables.ts"

/** Told before each table and after each batch of it, and before the end. What is returned is waited for. */
export type MoveProgress =
  | { readonly phase: "copy" | "verify"; readonly table: string; readonly records: number; readonly bytes: number }
  | { readonly phase: "publish" }

export interface MoveReport {
  readonly from: string
  readonly to: string
  /** Whether a move that had been cut off was only finished. */
  readonly finished: boolean
  /** Of each table that has records. */
  readonly tables: readonly (TableSum & { readonly table: string })[]
  readonly copyMs: number
  readonly verifyMs: number
}

export interface Moving {
  readonly from: MoveEnd
  readonly to: MoveEnd
  /** Whether to write over what is left of this store at a place that it was moved away from. */
  readonly replace: boolean
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** Unique: tells this move from every other. */
  readonly move: string
  readonly onProgress: (progress: MoveProgress) => void | Promise<void>
}

/**
 * Moves a store: all of it, unchanged, from one place to another, or nothing.
 *
 *     claim both ─▶ copy, and sum ─▶ read the copy, and sum ─▶ copy: whole ─▶ source: moved ─▶ copy: published
 *
 * 1. Until the copy was read and found the same, the source is as it was, and can be started.
 * 2. At no moment can both be started. Cut off between the last steps, neither can, and the same command finishes the move.
 * 3. A batch is read while the one before it is written; nothing else is in memory.
 *
 * The ends are closed.
 *
 * @throws {RouseError} as `decideMove` and `MoveEnd.claim`; `STORE_DAMAGED` when the copy differs: it says in which table, at which key.
 */
export async function moveBetween(moving: Moving): Promise<MoveReport> {
  const { from, to } = moving
  try {
    const source = { where: from.where, found: await from.claim("source") }
    const target = { where: to.where, found: await to.claim("target") }
    return decideMove(source, target, moving.replace) === "finish" ? await finish(moving) : await copyAll(moving)
  } finally {
    await to.close()
    await from.close()
  }
}

async function finish({ from, to, onProgress }: Moving): Promise<MoveReport> {
  await onProgress({ phase: "publish" })
  await to.publish()
  return { from: from.where, to: to.where, finished: true, tables: [], copyMs: 0, verifyMs: 0 }
}

async function copyAll(moving: Moving): Promise<MoveReport> {
  const { from, to, clock, move, onProgress } = moving
  const source = await from.reader()
  const facts = await source.facts()
  const beganMs = clock()
  const writer = await to.begin({ kind: "unfinished", move, from: from.where }, source)
  const sums = new Map<MoveTable, TableSum>()
  for (const table of MOVE_TABLES) sums.set(table, await copyTable(table, source, writer, onProgress))
  await writer.finish(facts)
  const copiedMs = clock()
  await verify(moving, source, sums)
  const verifiedMs = clock()
  await onProgress({ phase: "publish" })
  await to.setMark({ kind: "whole", move, from: from.where })
  await from.setMark({ kind: "moved", move, to: to.where, atMs: clock() })
  await to.publish()
  const tables = [...sums].map(([{ name }, sum]) => ({ table: name, ...sum })).filter(({ records }) => records > 0)
  const times = { copyMs: copiedMs - beganMs, verifyMs: verifiedMs - copiedMs }
  return { from: from.where, to: to.where, finished: false, tables, ...times }
}

async function copyTable(
  table: MoveTable,
  source: StoreReader,
  writer: StoreWriter,
  onProgress: Moving["onProgress"],
): Promise<TableSum> {
  let writing: Promise<void> = Promise.resolve()
  const sum = await summed(table, source, "copy", onProgress, async (records) => {
    await writing
    writing = write(table, writer, records)
    // Whoever waits for it next is told.
    writing.catch(() => undefined)
  })
  await writing
  return sum
}

async function write(table: MoveTable, writer: StoreWriter, records: readonly MoveRecord[]): Promise<void> {
  try {
    await writer.write(table, records)
  } catch (error) {
    if (!RouseError.is(error)) throw error
    const [first, last] = [records[0], records.at(-1)].map((record) => showKey(keyOf(table, record ?? [])))
    const message = `table ${table.name}, from ${first} to ${last}: ${error.message}`
    throw new RouseError(error.code, message, { cause: error, details: { ...error.details, table: table.name } })
  }
}

async function verify(
  { to, onProgress }: Moving,
  source: StoreReader,
  sums: ReadonlyMap<MoveTable, TableSum>,
): Promise<void> {
  const copy = await to.reader()
  for (const [table, expected] of sums) {
    const found = await summed(table, copy, "verify", onProgress)
    if (!sameSum(found, expected)) throw await differs(table, source, copy, to.where)
  }
  const [facts, copied] = [await source.facts(), await copy.facts()]
  if (facts.nonce !== copied.nonce) throw new Error(`${to.where} has another nonce than its source`)
}

async function differs(table: MoveTable, source: StoreReader, copy: StoreReader, where: string): Promise<RouseError> {
  const difference = await firstDifference(table, source, copy)
  const key = difference === undefined ? "unknown" : showKey(difference.key)
  const what = difference?.kind ?? "changed"
  const message = `the copy in ${where} is not what was copied: table ${table.name}, key ${key} is ${what}. It was not published; the source is as it was`
  return new RouseError("STORE_DAMAGED", message, { details: { where, table: table.name, key, what } })
}

async function summed(
  table: MoveTable,
  reader: StoreReader,
  phase: "copy" | "verify",
  onProgress: Moving["onProgress"],
  each?: (records: readonly MoveRecord[]) => Promise<void>,
): Promise<TableSum> {
  const sum = new Checksum()
  const tell = (): void | Promise<void> => {
    const { records, bytes } = sum
    return onProgress({ phase, table: table.name, records, bytes })
  }
  await tell()
  for await (const records of reader.read(table)) {
    for (const record of records) sum.add(record)
    await each?.(records)
    await tell()
  }
  return sum.sum()
}
