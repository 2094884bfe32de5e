import { Worker } from "node:worker_threads"
import type { DatabaseSync, StatementSync } from "node:sqlite"
import { workerUrl, workerOptions } from "./worker-module.ts"
import type { Tuning } from "./connect.ts"

/** The WAL is moved into the file when it has grown to this many pages (16 MiB). */
export const WAL_PAGES_MAX = 4_096
/** What may be left for the writer to move itself, so that the WAL can begin anew: a few milliseconds of work. */
const WRITER_PAGES_MAX = 512
/** However much is left, the writer moves it when the WAL has grown to this many pages (128 MiB). */
export const WAL_PAGES_LIMIT = 32_768

export interface WalSize {
  /** Pages in the WAL. */
  readonly log: number
  /** Of these, moved into the file. */
  readonly checkpointed: number
}

/**
 * Keeps the WAL short without stalling commits. Owned by the writer's thread.
 *
 *     WAL > 16 MiB ──▶ helper thread: PASSIVE (the long part; commits go on) ──▶ little left? ──▶ writer: PASSIVE (the rest)
 *                          ▲                                                        │ no
 *                          └────────────────────────────────────────────────────────┘
 *
 * 1. The WAL begins anew only when all of it is in the file while nothing is written: that last part is the writer's.
 * 2. The helper is started when it is first needed: an idle store has none.
 * 3. A checkpoint that fails (a full disk) is tried again later; commits do not depend on it.
 */
export class Checkpoints {
  readonly #file: string
  readonly #tuning: Tuning
  readonly #measure: StatementSync
  readonly #finish: StatementSync
  #helper: Worker | undefined
  #running = false

  constructor(db: DatabaseSync, file: string, tuning: Tuning) {
    this.#file = file
    this.#tuning = tuning
    this.#measure = db.prepare("PRAGMA wal_checkpoint(NOOP)")
    this.#finish = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")
  }

  /** Between two groups. */
  consider(): void {
    const size = this.#measure.get() as unknown as WalSize
    if (size.log < WAL_PAGES_MAX) return
    const left = size.log - size.checkpointed
    if (left === 0) return
    if (left <= WRITER_PAGES_MAX || size.log >= WAL_PAGES_LIMIT) this.#finish.get()
    else if (!this.#running) this.#start()
  }

  async close(): Promise<void> {
    await this.#helper?.terminate()
  }

  #start(): void {
    this.#running = true
    this.#helper ??= this.#spawn()
    this.#helper.postMessage("checkpoint")
  }

  #spawn(): Worker {
    const workerData = { file: this.#file, tuning: this.#tuning }
    const helper = new Worker(workerUrl("checkpointer"), { ...workerOptions(), workerData })
    helper.on("message", () => {
      this.#running = false
      this.consider()
    })
    helper.on("error", () => {
      this.#running = false
      this.#helper = undefined
    })
    helper.unref()
    return helper
  }
}
