import { RouseError } from "@rouse/protocol"
import { refusalOfMark } from "../core/move-mark.ts"
import type { Found } from "./end.ts"

/** An end, as it was found. */
export interface FoundAt {
  readonly where: string
  readonly found: Found
}

/**
 * What is to be done: to copy everything, or only to finish a move that was cut off between its last two steps.
 *
 * The target is only written over where no store is lost by it: when it is empty, holds what a move left unfinished, or, if `replace` says so, holds the
 * state that this very store had before it was moved away from there.
 *
 * @throws {RouseError} `NOT_FOUND`: there is no store to move; `STORE_MOVED`: it is not there any more, or not whole; `ALREADY_EXISTS`: the target holds a store.
 */
export function decideMove(source: FoundAt, target: FoundAt, replace: boolean): "copy" | "finish" {
  const { found: from } = source
  const { found: to } = target
  if (from.kind === "empty") throw new RouseError("NOT_FOUND", `there is no store in ${source.where}`)
  const mark = to.kind === "store" ? to.mark : undefined
  if (from.mark !== undefined) {
    const isCutOff = from.mark.kind === "moved" && mark?.kind === "whole" && mark.move === from.mark.move
    if (isCutOff) return "finish"
    throw refusalOfMark(from.mark, source.where)
  }
  if (to.kind === "empty" || mark?.kind === "unfinished") return "copy"
  // Its source has no mark, or it would not be whole: the copy is of no use.
  if (mark?.kind === "whole" && mark.from === source.where && to.nonce === from.nonce) return "copy"
  if (mark?.kind === "moved" && to.nonce === from.nonce) {
    if (replace) return "copy"
    const message = `${target.where} holds what this store was before it was moved to ${mark.to}: --replace writes over it`
    throw new RouseError("ALREADY_EXISTS", message, { details: { where: target.where } })
  }
  if (mark !== undefined) throw refusalOfMark(mark, target.where)
  throw new RouseError("ALREADY_EXISTS", `${target.where} is not empty: it holds a store of its own`, {
    details: { where: target.where },
  })
}
