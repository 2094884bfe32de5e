import { RouseError } from "@rouse/protocol"

/** The key of the table `meta` under which a store says that it is being moved, or was. */
export const MOVE_KEY = "move"

/**
 * How far a move has come, as the store that it concerns says of itself. Two stores are never both without a mark: the source has its own before
 * the copy loses its.
 *
 *     source:  (none) ──────────────────────────────▶ moved
 *     copy:    unfinished ──▶ whole, and verified ──────────▶ (none)
 */
export type MoveMark =
  | { readonly kind: "unfinished"; readonly move: string; readonly from: string }
  | { readonly kind: "whole"; readonly move: string; readonly from: string }
  | { readonly kind: "moved"; readonly move: string; readonly to: string; readonly atMs: number }

export function formatMark(mark: MoveMark): string {
  return JSON.stringify(mark)
}

/** @param text As it was stored; null or undefined: the store has no mark. */
export function parseMark(text: unknown): MoveMark | undefined {
  return typeof text === "string" ? (JSON.parse(text) as MoveMark) : undefined
}

/**
 * Why a store with this mark is not to be opened.
 *
 * @param where The place of the store, for people.
 */
export function refusalOfMark(mark: MoveMark, where: string): RouseError {
  const message =
    mark.kind === "moved"
      ? `${where} was moved to ${mark.to} at ${new Date(mark.atMs).toISOString()}: start there, or move it back with \`rouse migrate\``
      : `${where} holds a copy of ${mark.from} that is not finished: run \`rouse migrate\` again`
  return new RouseError("STORE_MOVED", message, { details: { where, state: mark.kind } })
}

/** @throws {RouseError} `STORE_MOVED` when there is a mark. */
export function refuseMoved(text: unknown, where: string): void {
  const mark = parseMark(text)
  if (mark !== undefined) throw refusalOfMark(mark, where)
}
