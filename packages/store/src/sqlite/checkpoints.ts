import type { DatabaseSync, StatementSync } from "node:sqlite"
import { Worker } from "node:worker_threads"
import { decideCheckpoint, PAGES_WAITING_MAX } from "../core/checkpoint.ts"
import type { WalSize } from "../core/checkpoint.ts"
import type { Tuning } from "./connect.ts"
import { workerOptions, workerUrl } from "./worker-module.ts"

/** No commit for this long is a quiet moment. */
const QUIET_MS = 50

/**
 * Keeps the write-ahead log short without stalling commits. Owned by the writer's thread.
 *
 *     16 MiB wait ──▶ helper thread: PASSIVE (the long part; commits go on) ──┐
 *     a quiet moment, or 64 MiB in all ──▶ writer: PASSIVE (the last part) ◀──┘ ──▶ the log begins anew, in the same blocks
 *
 * 1. The log begins anew only when all of it is in the file while nothing is written: that last part is the writer's.
 * 2. It is never truncated while open: overwriting blocks is faster to sync than adding them.
 * 3. The helper is started when it is first needed: an idle store has none.
 * 4. A checkpoint that fails (a full disk) is tried again later; commits do not depend on it.
 */
export class Checkpoints {
  readonly #file: string
  readonly #tuning: Tuning
  /** Undefined where SQLite cannot measure its log without a checkpoint: there it checkpoints by itself. */
  readonly #measure: StatementSync | undefined
  readonly #finish: StatementSync
  #helper: Worker | undefined
  #helping = false
  #groups = 0
  #timer: NodeJS.Timeout | undefined

  constructor(db: DatabaseSync, file: string, tuning: Tuning) {
    this.#file = file
    this.#tuning = tuning
    this.#measure = canMeasure(db) ? db.prepare("PRAGMA wal_checkpoint(NOOP)") : undefined
    if (!this.#measure) db.exec(`PRAGMA wal_autocheckpoint = ${PAGES_WAITING_MAX}`)
    this.#finish = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
  }

  /** After each group of commits. */
  consider(): void {
    this.#groups += 1
    this.#decide(false)
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#helper?.terminate()
  }

  #decide(quiet: boolean): void {
    if (!this.#measure) return
    const size = this.#measure.get() as unknown as WalSize
    switch (decideCheckpoint(size, this.#helping, quiet)) {
      case "nothing":
        break
      case "help":
        this.#help()
        break
      case "finish":
        this.#finishNow()
        return
    }
    if (size.log >= PAGES_WAITING_MAX && size.checkpointed < size.log) this.#awaitQuiet()
  }

  #finishNow(): void {
    try {
      this.#finish.get()
    } catch (error) {
      this.#complain(error)
    }
  }

  #awaitQuiet(): void {
    if (this.#timer !== undefined) return
    const groups = this.#groups
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#decide(groups === this.#groups)
    }, QUIET_MS)
  }

  #help(): void {
    this.#helping = true
    this.#helper ??= this.#startHelper()
    this.#helper.postMessage("checkpoint")
  }

  #startHelper(): Worker {
    const workerData = { file: this.#file, tuning: this.#tuning }
    const helper = new Worker(workerUrl("checkpointer"), { ...workerOptions(), workerData })
    helper.on("message", (failure: string | null) => {
      this.#helping = false
      if (failure === null) this.#decide(false)
      else this.#complain(failure)
    })
    helper.on("error", (error) => {
      this.#helping = false
      this.#helper = undefined
      this.#complain(error)
    })
    return helper
  }

  #complain(cause: unknown): void {
    process.emitWarning(`the log of ${this.#file} could not be moved into it, and will be later: ${String(cause)}`)
  }
}

/** `NOOP` came with SQLite 3.51; an older one would take it for a checkpoint after every group. */
function canMeasure(db: DatabaseSync): boolean {
  const { version } = db.prepare("SELECT sqlite_version() AS version").get() as { version: string }
  const [major = 0, minor = 0] = version.split(".").map(Number)
  return major > 3 || (major === 3 && minor >= 51)
}
