import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { QueuedRow, SpaceState, SpaceTableWrite } from "../core/space-state.ts"

/** The writes of spaces, their rows and their queues. Prepared when first needed. What a dropped space leaves is for the sweeper. */
export class SpaceWrites {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  do(write: SpaceTableWrite): void {
    switch (write.kind) {
      case "putSpace":
        return this.#putSpace(write.path, write.state, write.isNew)
      case "dropSpace":
        return this.#run("DELETE FROM space WHERE stream = ?", write.stream)
      case "markSpace":
        return this.#run("UPDATE space SET forget = ? WHERE stream = ?", write.forget, write.stream)
      case "countRows":
        return this.#run("UPDATE space SET rows = rows + ? WHERE stream = ?", write.by, write.stream)
      case "putSpaceRow":
        this.#putRow(write.stream, write.next, write.old)
        this.#reindex(write.stream, write.old, write.next)
        return this.#requeue(write.stream, write.old, write.next)
      case "dropSpaceRow": {
        const { collection, key } = write.old.row
        const sql = "DELETE FROM space_row WHERE stream = ? AND collection = ? AND key = ?"
        this.#run(sql, write.stream, collection, key)
        this.#reindex(write.stream, write.old, undefined)
        return this.#requeue(write.stream, write.old, undefined)
      }
    }
  }

  #putSpace(path: string, { stream, version, definition, createdAtMs, rows }: SpaceState, isNew: boolean): void {
    const text = JSON.stringify(definition)
    if (!isNew) return this.#run("UPDATE space SET version = ?, definition = ? WHERE stream = ?", version, text, stream)
    const sql = "INSERT INTO space (stream, path, version, definition, created_at, rows) VALUES (?, ?, ?, ?, ?, ?)"
    // One that was dropped with its stream by a sweep, and not by a commit, still has the path.
    this.#run("DELETE FROM space WHERE path = ?", path)
    this.#run(sql, stream, path, version, text, createdAtMs, rows)
  }

  /** A claim leaves the value as it is. */
  #putRow(stream: number, { row }: QueuedRow, old: QueuedRow | undefined): void {
    const { collection, key, value, version, made, done, token, holder, claim, freeAtMs, owner } = row
    const name = [stream, collection, key] as const
    if (old === undefined) {
      const sql = `INSERT INTO space_row (stream, collection, key, version, made, done, token, holder, claim, free_at, owner, value)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
      return this.#run(sql, ...name, version, made, Number(done), token, holder, claim, freeAtMs, owner, value)
    }
    if (old.row.version !== version) {
      const sql = "UPDATE space_row SET version = ?, value = ? WHERE stream = ? AND collection = ? AND key = ?"
      this.#run(sql, version, value, ...name)
    }
    const { row: before } = old
    if (before.token === token && before.freeAtMs === freeAtMs && before.done === done) return
    const sql = `UPDATE space_row SET done = ?, token = ?, holder = ?, claim = ?, free_at = ?
      WHERE stream = ? AND collection = ? AND key = ?`
    this.#run(sql, Number(done), token, holder, claim, freeAtMs, ...name)
  }

  /** Every row is in the queue `""`: it needs no index. */
  #reindex(stream: number, old: QueuedRow | undefined, next: QueuedRow | undefined): void {
    if (old?.indexed === next?.indexed) return
    for (const queue of old?.indexed ?? []) {
      if (queue === "" || next?.indexed.includes(queue)) continue
      const { collection, key } = (old as QueuedRow).row
      const sql = "DELETE FROM space_index WHERE stream = ? AND collection = ? AND queue = ? AND key = ?"
      this.#run(sql, stream, collection, queue, key)
    }
    for (const queue of next?.indexed ?? []) {
      if (queue === "" || old?.indexed.includes(queue)) continue
      const { collection, key } = (next as QueuedRow).row
      const sql = "INSERT INTO space_index (stream, collection, queue, key) VALUES (?, ?, ?, ?)"
      this.#run(sql, stream, collection, queue, key)
    }
  }

  #requeue(stream: number, old: QueuedRow | undefined, next: QueuedRow | undefined): void {
    if (old?.row.freeAtMs === next?.row.freeAtMs && old?.queues === next?.queues) return
    for (const queue of old?.queues ?? []) {
      const { collection, freeAtMs, made } = (old as QueuedRow).row
      const sql =
        "DELETE FROM space_queue WHERE stream = ? AND collection = ? AND queue = ? AND free_at = ? AND made = ?"
      this.#run(sql, stream, collection, queue, freeAtMs, made)
    }
    for (const queue of next?.queues ?? []) {
      const { collection, freeAtMs, made, key } = (next as QueuedRow).row
      const sql = "INSERT INTO space_queue (stream, collection, queue, free_at, made, key) VALUES (?, ?, ?, ?, ?, ?)"
      this.#run(sql, stream, collection, queue, freeAtMs, made, key)
    }
  }

  #run(sql: string, ...values: (string | number | null)[]): void {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    statement.run(...values)
  }
}
