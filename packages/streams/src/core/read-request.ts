import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { parseCursor } from "./cursor.ts"
import { invalid } from "./header-values.ts"

/** Unreserved URL characters, as §6 asks of offsets. Only the store knows more about them. */
const OFFSET = /^[A-Za-z0-9_.~-]{1,256}$/

/** Whether a value has the form of an offset. */
export function isOffset(value: string): value is Offset {
  return OFFSET.test(value)
}

/** What a read's query asks for. */
export interface ReadRequest {
  /** `"now"`: the tail, wherever it is when the read begins. */
  readonly offset: Offset | "now"
  readonly live: "no" | "long-poll" | "sse"
  readonly cursor?: number
  /** Begin with the live rows. Means nothing to a read that goes on from an offset. */
  readonly snapshot?: true
}

/**
 * Reads the query of a read. Unknown parameters are ignored.
 *
 * @throws {RouseError} `BAD_OFFSET`; `BAD_REQUEST` with the parameter's name.
 * @see Durable Streams Protocol §5.5 to §5.7, §6
 */
export function parseRead(query: URLSearchParams): ReadRequest {
  const live = liveOf(query.getAll("live"))
  const offsets = query.getAll("offset")
  if (live !== "no" && offsets.length === 0) throw invalid("offset", `is required with live=${live}`)
  const cursor = parseCursor(query.get("cursor"))
  const offset = offsetOf(offsets)
  const snapshot = snapshotOf(query.getAll("snapshot")) && offset === START
  return { offset, live, ...(snapshot && { snapshot }), ...(cursor === undefined ? {} : { cursor }) }
}

/** docs/snapshots.md */
function snapshotOf(values: readonly string[]): boolean {
  const [value = "false"] = values
  if (values.length > 1 || (value !== "true" && value !== "false"))
    throw invalid("snapshot", "must be true or false, once")
  return value === "true"
}

function offsetOf(values: readonly string[]): Offset | "now" {
  const [value = START] = values
  if (values.length > 1) throw new RouseError("BAD_OFFSET", "offset: give it once")
  if (value === "now") return "now"
  if (!isOffset(value))
    throw new RouseError("BAD_OFFSET", "offset: must be -1, now, or an offset that this stream gave")
  return value
}

function liveOf(values: readonly string[]): ReadRequest["live"] {
  const [value] = values
  if (value === undefined) return "no"
  if (values.length > 1 || (value !== "long-poll" && value !== "sse"))
    throw invalid("live", "must be long-poll or sse, once")
  return value
}
