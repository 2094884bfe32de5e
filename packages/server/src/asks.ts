import {
  type AskRequest,
  type AskState,
  type EntityUrl,
  type ErrorCode,
  type Json,
  type MemoRow,
  RouseError,
  type ToolCallRow,
} from "@rouse/protocol"
import { askRequest } from "@rouse/protocol/ask-schemas"
import { nextCause } from "./core/breaker.ts"
import { isoTime } from "./core/control.ts"
import type { EntityDraft } from "./core/draft.ts"
import { newId } from "./core/id.ts"
import { parseValue } from "./http/body.ts"
import { deliver } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { armAsk, disarmAsk } from "./ask-timer.ts"
import type { Settlement } from "./settlements.ts"
import { NeedsEntities, type Planning } from "./transactor.ts"
import { kept } from "./work/settle.ts"

/**
 * Questions between entities: see `AskRequest`.
 *
 * Invariants:
 * 1. The message, who waits for it (`control.asked` of the one that is asked) and the timer of its deadline are one commit.
 * 2. The settlement of the message and the word to who asked are one commit, whatever settles it. A question that does not wait any more, or
 *    whose run is over, is told nothing.
 */

export type Answer = { readonly reply: Json } | { readonly code: ErrorCode; readonly error: string }

/** What of a question that could not be asked is told to the asker, and does not fail its commit. */
const TOLD = ["STOPPED", "RATE_LIMITED"] as const

/** Asks, in the commit of the handler that does. @param open Whether the run goes on: nobody is told otherwise. */
export async function planAsks(
  plane: Plane,
  planning: Planning,
  self: EntityDraft,
  asks: readonly AskRequest[],
  open: boolean,
): Promise<void> {
  if (!open) return
  for (const value of asks) {
    const ask = parseValue(value, askRequest, "asks")
    const refusal = planAsk(plane, planning, self, ask)
    if (refusal) await tell(plane, self, ask.id, refusal)
  }
}

function planAsk(plane: Plane, planning: Planning, self: EntityDraft, ask: AskRequest): Answer | undefined {
  const { id, to, content, mode, timeoutMs } = ask
  if (to === self.url) return { code: "INVALID_ARGS", error: "to: an entity cannot ask itself" }
  const target = planning.entity(to)
  if (!target) return { code: "UNKNOWN_ENTITY", error: `there is no entity ${to}` }
  const from = { kind: "agent", id: self.url } as const
  try {
    const key = deliver(plane, target, {
      kind: "message",
      from,
      content,
      mode,
      cause: nextCause(self.control.cause, self.url),
    })
    target.setControl({ asked: { ...target.control.asked, [key]: { by: self.url, ask: id } } })
  } catch (error) {
    if (!RouseError.is(error, ...TOLD)) throw error
    return { code: error.code, error: error.message }
  }
  armAsk(self, id, self.nowMs + timeoutMs)
  return undefined
}

/**
 * Tells who asked for what a plan settles.
 *
 * @throws {NeedsEntities} naming those that the plan must be made with too.
 */
export async function tellAskers(plane: Plane, planning: Planning): Promise<void> {
  for (const entity of [...planning.draft.entities]) {
    const { asked } = entity.control
    if (asked === undefined || entity.settled.length === 0) continue
    const settled = entity.settled.filter(({ message }) => asked[message] !== undefined)
    const missing = settled.flatMap(({ message }) => asked[message]?.by ?? []).filter((url) => !planning.knows(url))
    if (missing.length > 0) throw new NeedsEntities(missing)
    for (const settlement of settled) {
      const waiting = asked[settlement.message]
      const asker = waiting && planning.entity(waiting.by)
      if (asker) await tell(plane, asker, waiting.ask, answerOf(settlement, entity.url))
    }
    const left = Object.entries(asked).filter(([key]) => settled.every(({ message }) => message !== key))
    entity.setControl({ asked: Object.fromEntries(left) })
  }
}

function answerOf({ status, reply, reason }: Settlement, url: EntityUrl): Answer {
  if (status === "processed") return { reply }
  const why = reason === undefined ? "" : `: ${reason}`
  if (status === "dead") return { code: "HANDLER_FAILED", error: `${url} failed${why}` }
  return { code: "INTERRUPTED", error: `${url} did not get to it${why}` }
}

/** Gives a question its answer, if it still waits for one, and rouses its agent. */
export async function tell(plane: Plane, asker: EntityDraft, ask: string, answer: Answer): Promise<void> {
  disarmAsk(asker, ask)
  const run = asker.control.run?.id
  if (asker.record.status === "stopped" || run === undefined) return
  const isMemo = ask.includes(":ask:")
  const status = isMemo
    ? await answerMemo(plane, asker, ask, run, answer)
    : await answerCall(plane, asker, ask, run, answer)
  if (status === undefined) return
  // Not `steer`: a run under way has read its rows, and would take this without knowing of the answer.
  const from = { kind: "system", id: "rouse" } as const
  const content = isMemo ? { ask, status } : { call: ask, status }
  asker.accept({ kind: "toolResult", from, content, mode: "queue" }, newId(asker.nowMs, plane.random))
}

async function answerMemo(
  plane: Plane,
  asker: EntityDraft,
  key: string,
  run: string,
  answer: Answer,
): Promise<AskState["status"] | undefined> {
  const planned = asker.planned("memo", key)
  const row = (planned ?? (await plane.transactor.row(asker.url, "memo", key))?.value) as unknown as MemoRow | undefined
  const state = row?.value as unknown as AskState | undefined
  if (row === undefined || state?.status !== "waiting" || state.run !== run) return undefined
  const value: AskState =
    "reply" in answer ? { status: "answered", reply: answer.reply } : { status: "failed", ...answer }
  asker.update("memo", key, { ...row, value })
  return value.status
}

async function answerCall(
  plane: Plane,
  asker: EntityDraft,
  key: string,
  run: string,
  answer: Answer,
): Promise<ToolCallRow["status"] | undefined> {
  const planned = asker.planned("tool_call", key)
  const found = planned ?? (await plane.transactor.row(asker.url, "tool_call", key))?.value
  const row = found as unknown as ToolCallRow | undefined
  if (row?.status !== "waiting" || row.run !== run) return undefined
  const end = { attempts: 1, endedAt: isoTime(asker.nowMs) }
  const next: ToolCallRow =
    "reply" in answer
      ? { ...row, ...end, status: "done", output: kept(asker, row, answer.reply) }
      : { ...row, ...end, status: "failed", error: answer.error }
  asker.update("tool_call", key, next)
  return next.status
}
