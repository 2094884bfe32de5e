import { type ApprovalRow, type ApprovalVote, type Json, type Principal, RouseError } from "@rouse/protocol"
import { canonicalJson } from "../core/canonical.ts"
import { isoTime } from "../core/control.ts"

/** What one person says of an approval. */
export interface Saying {
  readonly decision?: "allow" | "deny"
  readonly answer?: Json
  /** What is to run instead. */
  readonly input?: Json
  readonly note?: string
  readonly by: Principal
}

/**
 * What one person's word makes of an approval. Pure; a word that changes nothing gives the same row.
 *
 * One who denies has denied it for all. With a quorum, it is allowed when as many different people have; an edit is a new question, and
 * what was allowed before it counts no more.
 *
 * @throws {RouseError} `FORBIDDEN` when this principal may not decide; `ALREADY_EXISTS` when it was decided otherwise; `INVALID_ARGS` for
 *   an answer to what is no question, or the other way round.
 */
export function voted(row: ApprovalRow, saying: Saying, nowMs: number): ApprovalRow {
  checkKind(row, saying)
  checkPrincipal(row, saying.by)
  const wanted = statusOf(saying)
  if (row.status !== "waiting") return decidedBefore(row, wanted)
  const at = isoTime(nowMs)
  const note = saying.note === undefined ? {} : { note: saying.note }
  const end = { by: saying.by, decidedAt: at, ...note }
  if (wanted === "answered") return { ...row, status: wanted, answer: saying.answer ?? null, ...end }
  const edit = wanted === "allowed" && isEdit(row, saying.input) ? { edited: saying.input as Json } : {}
  const quorum = row.quorum ?? 1
  if (quorum === 1) return { ...row, ...edit, status: wanted, ...end }
  const before = "edited" in edit ? [] : (row.votes ?? [])
  if (wanted === "allowed" && before.some((vote) => isSame(vote.by, saying.by))) return row
  const decision = wanted === "allowed" ? "allow" : "deny"
  const vote: ApprovalVote = { by: saying.by, decision, at, ...note, ...("edited" in edit ? { edited: true } : {}) }
  const votes = [...before, vote]
  if (wanted === "denied" || votes.length >= quorum) return { ...row, ...edit, status: wanted, votes, ...end }
  return { ...row, ...edit, votes }
}

function statusOf({ decision }: Saying): "allowed" | "denied" | "answered" {
  return decision === undefined ? "answered" : decision === "allow" ? "allowed" : "denied"
}

function checkKind(row: ApprovalRow, { decision, answer, input }: Saying): void {
  const isQuestion = row.kind === "question"
  if (isQuestion && decision === "allow")
    throw new RouseError("INVALID_ARGS", `decision: ${row.call} is a question; give an answer, or deny it`)
  if (!isQuestion && answer !== undefined)
    throw new RouseError("INVALID_ARGS", `answer: ${row.call} is no question; allow or deny it`)
  if (input !== undefined && (row.kind !== undefined || decision !== "allow"))
    throw new RouseError("INVALID_ARGS", "input: only the input of a tool call that is allowed can be edited")
}

function checkPrincipal(row: ApprovalRow, by: Principal): void {
  if (by.kind !== "user")
    throw new RouseError("FORBIDDEN", `${by.kind} ${by.id} cannot decide ${row.call}: a person must`)
  if (row.from && !row.from.includes(by.id))
    throw new RouseError("FORBIDDEN", `${by.id} may not decide ${row.call}: ${row.from.join(", ")} may`)
}

function decidedBefore(row: ApprovalRow, wanted: ApprovalRow["status"]): ApprovalRow {
  if (row.status === wanted) return row
  const by = row.by ? ` by ${row.by.id}` : ""
  throw new RouseError("ALREADY_EXISTS", `${row.call} was ${row.status}${by}; it cannot be ${wanted} now`)
}

function isEdit(row: ApprovalRow, input: Json | undefined): boolean {
  return input !== undefined && canonicalJson(input) !== canonicalJson(row.edited ?? row.input)
}

function isSame(a: Principal, b: Principal): boolean {
  return a.kind === b.kind && a.id === b.id
}
