import { endOfValue, membersOf, skipSpace } from "./json-text.ts"

/** A message of the State Protocol, its value in the spelling in which it was written. */
export type StateMessage =
  | {
      readonly kind: "change"
      readonly type: string
      readonly key: string
      readonly operation: "insert" | "update" | "upsert" | "delete"
      readonly headers: Readonly<Record<string, unknown>>
      /** JSON text. Absent: the message has none. */
      readonly value: string | undefined
    }
  | { readonly kind: "reset" }
  /** A control message that changes no row. */
  | { readonly kind: "mark" }

const OPERATIONS: ReadonlySet<unknown> = new Set(["insert", "update", "upsert", "delete"])

/** The messages of a batch in a store's wire form (see `frameJson`), as text. */
export function splitBatch(batch: string): string[] {
  const messages: string[] = []
  for (let at = skipSpace(batch, 0); at < batch.length;) {
    const end = endOfValue(batch, at)
    messages.push(batch.slice(at, end))
    at = skipSpace(batch, skipSpace(batch, end) + 1)
  }
  return messages
}

/**
 * Reads a message; undefined when it is none of the State Protocol.
 *
 * @see Durable Streams State Protocol §4, §5
 */
export function parseStateMessage(text: string): StateMessage | undefined {
  const members = membersOf(text)
  const headers = objectOf(members?.get("headers"))
  if (members === undefined || headers === undefined) return undefined
  if (typeof headers["control"] === "string") return { kind: headers["control"] === "reset" ? "reset" : "mark" }
  const type = nameOf(members.get("type"))
  const key = nameOf(members.get("key"))
  const operation = headers["operation"]
  if (type === undefined || key === undefined || !isOperation(operation)) return undefined
  return { kind: "change", type, key, operation, headers, value: members.get("value") }
}

function isOperation(value: unknown): value is Extract<StateMessage, { readonly kind: "change" }>["operation"] {
  return OPERATIONS.has(value)
}

function objectOf(text: string | undefined): Record<string, unknown> | undefined {
  return text?.startsWith("{") === true ? (JSON.parse(text) as Record<string, unknown>) : undefined
}

function nameOf(text: string | undefined): string | undefined {
  const name: unknown = text?.startsWith('"') === true ? JSON.parse(text) : undefined
  return typeof name === "string" && name !== "" ? name : undefined
}
