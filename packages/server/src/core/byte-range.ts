import { type ByteRange, RouseError } from "@rouse/protocol"

const RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/

/**
 * What a `Range` header asks for of `size` bytes; undefined for all of them: without one, or with one of another kind or of several parts,
 * which may be ignored (RFC 9110 §14.2).
 *
 * @throws {RouseError} `RANGE_NOT_SATISFIABLE`.
 */
export function parseRange(header: string | null, size: number): Required<ByteRange> | undefined {
  const [, first = "", last = ""] = RANGE.exec(header?.trim() ?? "") ?? []
  if (first === "" && last === "") return undefined
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === "" || last === "" ? size : Math.min(size, Number(last) + 1)
  if (last !== "" && first !== "" && Number(last) < start) return undefined
  if (start < size && end > start) return { start, end }
  throw new RouseError("RANGE_NOT_SATISFIABLE", `Range: "${header}" has nothing of the ${size} bytes`, {
    details: { size },
  })
}
