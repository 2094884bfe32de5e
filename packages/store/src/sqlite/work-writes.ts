import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { WorkWrite } from "../core/work-write.ts"

/** The writes of what waits outside any process. */
export class WorkWrites {
  readonly #put: StatementSync
  readonly #drop: StatementSync

  constructor(db: DatabaseSync) {
    this.#put = db.prepare(
      "INSERT OR REPLACE INTO work (id, queue, name, url, open, position, version, payload) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    this.#drop = db.prepare("DELETE FROM work WHERE id = ?")
  }

  do(write: WorkWrite): void {
    if (write.kind === "dropWork") {
      this.#drop.run(write.id)
      return
    }
    const { id, queue, name, url, open, position, payload } = write.item
    this.#put.run(id, queue, name, url, open ? 1 : 0, position, write.version, payload)
  }
}
