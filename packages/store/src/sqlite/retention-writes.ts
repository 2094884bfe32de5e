import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { RetentionWrite } from "../core/retention.ts"

/** Carries out what a plan does to snapshots, horizons and pins. */
export class RetentionWrites {
  readonly #newer: StatementSync
  readonly #putSnapshot: StatementSync
  readonly #dropBetween: StatementSync
  readonly #setHorizon: StatementSync
  readonly #dropBelow: StatementSync
  readonly #trimmed: StatementSync
  readonly #putPin: StatementSync
  readonly #dropPin: StatementSync

  constructor(db: DatabaseSync) {
    this.#newer = db.prepare("SELECT 1 FROM snapshot WHERE stream = ? AND position >= ? LIMIT 1")
    this.#putSnapshot = db.prepare("INSERT OR REPLACE INTO snapshot (stream, position, data) VALUES (?, ?, ?)")
    this.#dropBetween = db.prepare("DELETE FROM snapshot WHERE stream = ? AND position > ? AND position < ?")
    this.#setHorizon = db.prepare("UPDATE stream SET horizon = ? WHERE id = ?")
    this.#dropBelow = db.prepare("DELETE FROM snapshot WHERE stream = ? AND position < ?")
    this.#trimmed = db.prepare("INSERT OR REPLACE INTO trimmed (stream, until) VALUES (?, ?)")
    this.#putPin = db.prepare("INSERT OR REPLACE INTO pin (stream, holder, position) VALUES (?, ?, ?)")
    this.#dropPin = db.prepare("DELETE FROM pin WHERE stream = ? AND holder = ?")
  }

  do(write: RetentionWrite): void {
    switch (write.kind) {
      case "putSnapshot":
        if (this.#newer.get(write.state.id, write.at) !== undefined) return
        this.#dropBetween.run(write.state.id, write.state.horizon, write.at)
        this.#putSnapshot.run(write.state.id, write.at, write.data)
        return
      case "trimStream": {
        const { id, horizon } = write.state
        this.#setHorizon.run(horizon, id)
        this.#dropBelow.run(id, horizon)
        if (write.data !== undefined) this.#putSnapshot.run(id, horizon, write.data)
        this.#trimmed.run(id, horizon)
        return
      }
      case "putPin":
        this.#putPin.run(write.stream, write.holder, write.at)
        return
      case "dropPin":
        this.#dropPin.run(write.stream, write.holder)
    }
  }
}
