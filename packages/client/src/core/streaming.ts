import type { StepRow } from "@rouse/protocol"
import type { Part } from "./items.ts"

/** What becomes of parts that were still streaming. */

/** What is left of a step's parts when its row is written again: one that runs anew begins without what was half written. */
export function keptParts(parts: readonly Part[], status: StepRow["status"]): readonly Part[] {
  if (!parts.some(isStreaming)) return parts
  return status === "running" ? parts.filter((part) => !isStreaming(part)) : parts.map(stopped)
}

export function isStreaming(part: Part): boolean {
  return part.kind !== "tool" && part.streaming
}

export function stopped(part: Part): Part {
  return part.kind !== "tool" && part.streaming ? { ...part, streaming: false } : part
}
