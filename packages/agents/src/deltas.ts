import type { StepRow } from "@rouse/protocol"
import { change, removal } from "./batch.ts"
import type { Recorder } from "./core/recorder.ts"
import type { Session } from "./session.ts"

const DELTA_MS = 50

/**
 * Owns the timer that puts streaming text on the log in batches, one commit each, until the step is settled. A step that ends
 * before the first tick makes no commit of its own.
 */
export class Deltas {
  recorder: Recorder | undefined
  readonly #session: Session
  readonly #step: StepRow
  readonly #everyMs: number
  readonly #seen = new Set<string>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> | undefined
  #stopped = false

  constructor(session: Session, step: StepRow) {
    this.#session = session
    this.#step = step
    this.#everyMs = session.host.deltaMs ?? DELTA_MS
    this.#arm()
  }

  /** What streams into `recorder` goes on the log from now on. */
  follow(recorder: Recorder): void {
    this.recorder = recorder
  }

  /** No more deltas. Rejects when one could not be written. */
  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#writing
  }

  /**
   * Takes the deltas back, since their settled parts stand in their place: a reader who applies the log is left with no half text.
   * On a further attempt also those that an earlier one may have left.
   */
  supersede(parts: readonly string[]): void {
    const left = this.#session.wake.attempt > 1 ? parts.filter((key) => !this.#seen.has(key)) : []
    for (const key of [...this.#seen, ...left]) this.#session.writer.batch.events.push(removal("delta", key))
    this.#seen.clear()
  }

  #arm(): void {
    if (this.#stopped || !Number.isFinite(this.#everyMs)) return
    this.#timer = setTimeout(() => {
      this.#writing = this.#write()
      this.#writing.then(
        () => this.#arm(),
        (error: unknown) =>
          this.#session.host.log.debug("deltas stopped", { error: this.#session.vault.text(String(error)) }),
      )
    }, this.#everyMs)
  }

  #take(): ReturnType<Recorder["takeDeltas"]> {
    const { run, id } = this.#step
    return this.recorder?.takeDeltas(run, id, this.#session.vault.redactor) ?? []
  }

  async #write(): Promise<void> {
    for (const [key, delta] of this.#take()) {
      this.#session.writer.batch.events.push(change("delta", key, this.#seen.has(key) ? "update" : "insert", delta))
      this.#seen.add(key)
    }
    await this.#session.flush()
  }
}
