import type { ChangeEvent, Json } from "@rouse/protocol"
import { isObject, previewOf } from "./json.ts"

/** The fields of each built-in collection that say most, in the order they are read. */
const TELLING: Readonly<Record<string, readonly string[]>> = {
  entity: ["status", "args"],
  message: ["status", "kind", "content"],
  wake: ["attempt", "outcome", "reasons"],
  child: ["status", "url"],
  signal: ["name"],
  schedule: ["dueAt", "to", "content"],
  approval: ["status", "tool", "input"],
  tag: ["value"],
  run: ["status", "reply", "error"],
  step: ["status", "model", "finishReason"],
  text: ["text"],
  reasoning: ["text"],
  delta: ["text"],
  tool_call: ["status", "name", "input"],
  memo: ["value"],
  error: ["code", "message"],
}

/** The fields that say most of a row of a collection. */
export function tellingOf(collection: string): readonly string[] {
  return TELLING[collection] ?? []
}

/** What an event says, on one line: the telling fields of a known collection, or the whole value of an author's. */
export function summaryOf(event: ChangeEvent, charsMax: number): string {
  const { value, type } = event
  const fields = TELLING[type]
  if (fields === undefined || !isObject(value)) return previewOf(value, charsMax)
  const told = fields.map((field) => value[field]).filter((part): part is Json => part !== undefined && part !== null)
  return previewOf(told.map((part) => previewOf(part, charsMax)).join("  "), charsMax)
}
