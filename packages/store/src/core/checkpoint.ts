/** The write-ahead log, in pages of 4 KiB. */
export interface WalSize {
  /** Pages in it. */
  readonly log: number
  /** Of these, moved into the file. */
  readonly checkpointed: number
}

/** Pages that wait to be moved before the helper is asked (16 MiB). */
export const PAGES_WAITING_MAX = 4_096
/** Pages that the writer itself may move: beyond them a commit would wait too long. */
export const PAGES_FINISHED_MAX = 1_024
/** The length at which the log begins anew although commits keep coming (64 MiB). */
export const LOG_PAGES_MAX = 16_384
/** The length at which it begins anew whatever that costs (256 MiB). */
export const LOG_PAGES_LIMIT = 65_536

/**
 * Decides what is done about the write-ahead log between two groups of commits.
 *
 * `help`: another thread moves pages while commits go on. `finish`: the writer moves the last ones, so that the log begins anew;
 * that syncs the file, which holds commits up for some milliseconds, and so is left to quiet moments, or until the log is long.
 *
 * @param helping Whether the other thread is at it.
 * @param quiet Whether no commit has come for a while.
 */
export function decideCheckpoint(size: WalSize, helping: boolean, quiet: boolean): "nothing" | "help" | "finish" {
  const waiting = size.log - size.checkpointed
  if (waiting === 0 || size.log < PAGES_WAITING_MAX) return "nothing"
  if (size.log >= LOG_PAGES_LIMIT) return "finish"
  if (waiting <= PAGES_FINISHED_MAX && (quiet || size.log >= LOG_PAGES_MAX)) return "finish"
  return !helping && (quiet || waiting >= PAGES_WAITING_MAX) ? "help" : "nothing"
}
