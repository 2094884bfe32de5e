import {
  ASK_MS,
  type BundleEntity,
  type EntityUrl,
  isWaitingMemo,
  type JsonObject,
  type Row,
  type ToolCallRow,
} from "@rouse/protocol"
import { armAsk } from "../ask-timer.ts"
import type { Control } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import type { WorkPayload } from "../core/work-item.ts"

/** Questions in a bundle. Their deadlines are not in it: they get new ones. */

/** A question by who asks and its id. */
export function askName(by: EntityUrl, ask: string): string {
  return `${by} ${ask}`
}

/** The questions that the entities of a bundle were asked. */
export function askedIn(entities: readonly BundleEntity[]): ReadonlySet<string> {
  const asked = entities.flatMap(({ control }) => Object.values((control as unknown as Control).asked ?? {}))
  return new Set(asked.map(({ by, ask }) => askName(by, ask)))
}

/** The questions that an entity waits for, by its rows and the calls that are with workers. */
export function waitingAsks(rows: readonly Row[], work: readonly JsonObject[]): readonly string[] {
  const elsewhere = new Set([
    ...rows.filter(({ collection }) => collection === "approval").map(({ key }) => key),
    ...work.map(({ payload }) => (payload as unknown as WorkPayload).call),
  ])
  return rows.filter((row) => waits(row, elsewhere)).map(({ key }) => key)
}

function waits({ collection, key, value }: Row, elsewhere: ReadonlySet<string>): boolean {
  if (collection === "memo") return isWaitingMemo(key, value)
  const call = value as unknown as ToolCallRow
  return collection === "tool_call" && call.name === "ask" && call.status === "waiting" && !elsewhere.has(key)
}

/** @param isAsked Whether who is asked came too. Otherwise nobody will answer, and the question is over. */
export function awaitAgain(entity: EntityDraft, ask: string, isAsked: boolean): void {
  armAsk(entity, ask, entity.nowMs + (isAsked ? ASK_MS : 0))
}
