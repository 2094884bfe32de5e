import { setStreamPath } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import type { Draft } from "./draft.ts"
import type { EncodedRecord } from "./encoded.ts"
import { frameJson } from "./json-frame.ts"
import { planAppend } from "./stream-plan.ts"
import { isAlive } from "./stream-state.ts"

type Announced = Pick<EncodedRecord, "url" | "type" | "id" | "status" | "parent" | "tags">

/**
 * Tells the stream of a type's entities what became of one, while anybody observes it: with what it was before, so that who observes a set
 * sees from the event alone who joined and who left.
 */
export function announce(
  draft: Draft,
  before: Announced | undefined,
  after: Announced | undefined,
  nowMs: number,
): void {
  if (!draft.hasObservations || (before?.status === after?.status && before?.tags === after?.tags)) return
  const path = setStreamPath((after ?? before)?.type ?? "")
  if (!draft.isObserved(path)) return
  const stream = draft.view.stream(path)
  if (!isAlive(stream, nowMs) || stream.closed) return
  planAppend(draft, { op: "append", path, data: announcement(before, after), nowMs })
}

function announcement(before: Announced | undefined, after: Announced | undefined): Uint8Array {
  const operation = after === undefined ? "delete" : before === undefined ? "insert" : "update"
  const value = after === undefined ? {} : { value: factsOf(after) }
  const old = before === undefined ? {} : { old_value: factsOf(before) }
  return frameJson([{ type: "entity", key: (after ?? before)?.url, ...value, ...old, headers: { operation } }])
}

function factsOf({ url, type, id, status, parent, tags }: Announced): Json {
  return { url, type, id, status, parent, tags: JSON.parse(tags) as Json }
}
