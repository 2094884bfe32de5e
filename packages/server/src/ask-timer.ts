import type { EntityUrl } from "@rouse/protocol"
import type { Timer } from "@rouse/store"
import type { EntityDraft } from "./core/draft.ts"

/** What the timer of a question holds. Its entity is the one that asks. */
export interface TimedAsk {
  readonly kind: "ask"
  readonly ask: string
}

/** Gives a question its deadline. */
export function armAsk(asker: EntityDraft, ask: string, dueAtMs: number): void {
  const payload: TimedAsk = { kind: "ask", ask }
  const timer: Timer = { id: timerId(asker.url, ask), dueAtMs, url: asker.url, payload: { ...payload } }
  asker.also({ op: "putTimer", timer })
}

export function disarmAsk(asker: EntityDraft, ask: string): void {
  asker.also({ op: "deleteTimer", id: timerId(asker.url, ask) })
}

function timerId(url: EntityUrl, ask: string): string {
  return `ask:${url}:${ask}`
}
