import { APPLY_LISTS } from "./apply-lists.ts"
import type { ApplyList } from "./apply-lists.ts"
import { DatabaseError } from "./database-failure.ts"

/** A row of a list: a value for each of its columns, where what is missing is null; and the part of the group that it belongs to. */
export interface ListItem {
  readonly part: number
  readonly row: Readonly<Record<string, unknown>>
}

/** Lists as the function takes them: arrays as Postgres writes them, and bytes in hexadecimal digits. */
export interface EncodedLists {
  readonly sizes: string
  readonly parts: string
  readonly nums: string
  readonly txts: string
  readonly byts: string
}

/** Without what JSON writes otherwise than an array does, characters below U+0020; and without halves of pairs, which the database cannot keep. */
const USUAL = /^[ -\ud7ff\ue000-\uffff]*$/
/** SQLSTATE of text that is no text. */
const NOT_IN_REPERTOIRE = "22021"

/** @throws {DatabaseError} for text that the database cannot keep. */
export function encodeLists(rows: ReadonlyMap<ApplyList, readonly ListItem[]>): EncodedLists {
  const sizes: number[] = []
  const parts: number[] = []
  const nums: (number | string)[] = []
  const txts: string[] = []
  const byts: Uint8Array[] = []
  let bytes = 0
  for (const [list, columns] of APPLY_LISTS) {
    const listed = rows.get(list)
    sizes.push(listed?.length ?? 0)
    if (listed === undefined) continue
    for (const { part, row } of listed) {
      parts.push(part)
      for (const { name, type } of columns) {
        const value = row[name]
        if (type === "text") txts.push(textOf(value as string | null | undefined))
        else if (type !== "bytea") nums.push(numberOf(value))
        else if (value === null || value === undefined) nums.push("NULL", "NULL")
        else {
          const data = value as Uint8Array
          nums.push(bytes + 1, data.length)
          byts.push(data)
          bytes += data.length
        }
      }
    }
  }
  while (sizes.at(-1) === 0) sizes.pop()
  const array = (items: readonly unknown[]): string => `{${items.join()}}`
  return { sizes: array(sizes), parts: array(parts), nums: array(nums), txts: array(txts), byts: hexOf(byts) }
}

function numberOf(value: unknown): number | string {
  if (typeof value === "number" && Number.isFinite(value)) return value
  if (typeof value === "boolean") return value ? 1 : 0
  return typeof value === "string" || typeof value === "bigint" ? String(value) : "NULL"
}

/** An array's element. JSON's way to write text is the quickest there is, and the same for what is usual. */
function textOf(value: string | null | undefined): string {
  if (value === null || value === undefined) return "NULL"
  if (USUAL.test(value)) return JSON.stringify(value)
  if (!value.isWellFormed() || value.includes("\0")) {
    throw new DatabaseError("refused", NOT_IN_REPERTOIRE, "text has half of a character, or U+0000")
  }
  return `"${value.replaceAll(/["\\]/g, "\\$&")}"`
}

function hexOf(parts: readonly Uint8Array[]): string {
  return parts.map((data) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex")).join("")
}
