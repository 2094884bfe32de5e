import { type ChangeEvent, HANDLER_COLLECTIONS, RouseError } from "@rouse/protocol"

const KEY_LENGTH_MAX = 256
const OPERATIONS: ReadonlySet<string> = new Set(["insert", "update", "delete"])
const BUILT_IN: ReadonlySet<string> = new Set(HANDLER_COLLECTIONS)

/**
 * Checks the changes of a handler's commit: it may write its own built-in collections and those its type defines.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the event and its fault.
 */
export function checkEvents(events: readonly ChangeEvent[], state: Readonly<Record<string, unknown>>): void {
  events.forEach((event, index) => {
    const fault = faultOf(event, state)
    if (fault) throw new RouseError("INVALID_ARGS", `events[${index}]: ${fault}`)
  })
}

/** @throws {RouseError} `TOO_LARGE` when what a handler commits at once is. */
export function checkSize(parts: unknown, bytesMax: number): void {
  const bytes = sizeOf(parts)
  if (bytes > bytesMax) {
    throw new RouseError("TOO_LARGE", `one commit holds ${bytes} bytes; at most ${bytesMax} are allowed`)
  }
}

function faultOf(event: ChangeEvent, state: Readonly<Record<string, unknown>>): string | undefined {
  if (!BUILT_IN.has(event.type) && !Object.hasOwn(state, event.type))
    return `type "${event.type}" is not a collection of this entity`
  if (typeof event.key !== "string" || event.key === "" || event.key.length > KEY_LENGTH_MAX) {
    return `key must be 1 to ${KEY_LENGTH_MAX} characters`
  }
  if (!OPERATIONS.has(event.headers.operation))
    return `operation "${event.headers.operation}" is not insert, update or delete`
  if (event.headers.operation !== "delete" && event.value === undefined) return "value is missing"
  return undefined
}

/** A cheap estimate of a value's size: exact for what dominates, the length of its strings. */
function sizeOf(value: unknown): number {
  if (typeof value === "string") return value.length
  if (typeof value !== "object" || value === null) return 8
  let size = 2
  for (const [key, inner] of Object.entries(value)) size += key.length + sizeOf(inner)
  return size
}
