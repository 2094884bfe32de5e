import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"
import { activeSecondOf } from "../core/cursor.ts"
import type { EntityState } from "../core/view.ts"

const INSERT = `INSERT INTO entity (id, url, type, name, status, version, epoch, seq, parent, created_at, active_at, active_second, due_at, tags, args, control)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

/** Columns that are written only when they change: SQLite rewrites the index entries of every column that a statement names. */
const SPARSE: readonly (readonly [string, (record: EntityState["record"]) => SQLInputValue])[] = [
  ["status", (record) => record.status],
  ["active_second", (record) => activeSecondOf(record.activeAtMs)],
  ["due_at", (record) => record.dueAtMs],
  ["parent", (record) => record.parent],
  ["type", (record) => record.type],
  ["name", (record) => record.id],
  ["created_at", (record) => record.createdAtMs],
  ["tags", (record) => record.tags],
  ["args", (record) => record.args],
]

/** The writes of one entity's record, and of the table of tags that follows from it. */
export class EntityWrites {
  readonly #db: DatabaseSync
  readonly #insert: StatementSync
  /** One per set of changed columns: few occur. */
  readonly #updates = new Map<number, StatementSync>()
  readonly #putTag: StatementSync
  readonly #dropTag: StatementSync
  readonly #seq: StatementSync
  readonly #drops: readonly StatementSync[]
  readonly #dropTimers: StatementSync
  readonly #dropWork: StatementSync

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#insert = db.prepare(INSERT)
    this.#putTag = db.prepare("INSERT OR IGNORE INTO tag (name, value, entity) VALUES (?, ?, ?)")
    this.#dropTag = db.prepare("DELETE FROM tag WHERE name = ? AND value = ? AND entity = ?")
    this.#seq = db.prepare("UPDATE entity SET seq = ? WHERE id = ?")
    this.#drops = [db.prepare("DELETE FROM entity WHERE id = ?"), db.prepare(`DELETE FROM "row" WHERE entity = ?`)]
    this.#dropTimers = db.prepare("DELETE FROM timer WHERE url = ?")
    this.#dropWork = db.prepare("DELETE FROM work WHERE url = ?")
  }

  put(old: EntityState | undefined, next: EntityState, control: string): void {
    if (old === undefined) this.#insertEntity(next, control)
    else this.#update(old.record, next, control)
    if (old?.record.tags !== next.record.tags) this.#retag(next.id, old?.record.tags ?? "{}", next.record.tags)
  }

  putSeq(id: number, seq: number): void {
    this.#seq.run(seq, id)
  }

  /** Timers may be there without a record. */
  drop(url: string, state: EntityState | undefined): void {
    this.#dropTimers.run(url)
    this.#dropWork.run(url)
    if (state === undefined) return
    for (const statement of this.#drops) statement.run(state.id)
    this.#retag(state.id, state.record.tags, "{}")
  }

  #insertEntity(next: EntityState, control: string): void {
    const { record } = next
    const { url, type, id, status, parent, createdAtMs, activeAtMs, dueAtMs, tags, args } = record
    const second = activeSecondOf(activeAtMs)
    const { version, epoch, seq } = next
    this.#insert.run(
      next.id,
      url,
      type,
      id,
      status,
      version,
      epoch,
      seq,
      parent,
      createdAtMs,
      activeAtMs,
      second,
      dueAtMs,
      tags,
      args,
      control,
    )
  }

  #update(old: EntityState["record"], next: EntityState, control: string): void {
    const values: SQLInputValue[] = [next.version, next.epoch, next.seq, next.record.activeAtMs, control]
    let changed = 0
    SPARSE.forEach(([, valueOf], index) => {
      const value = valueOf(next.record)
      if (value === valueOf(old)) return
      changed |= 1 << index
      values.push(value)
    })
    this.#updateOf(changed).run(...values, next.id)
  }

  #updateOf(changed: number): StatementSync {
    const known = this.#updates.get(changed)
    if (known !== undefined) return known
    const columns = SPARSE.filter((_, index) => (changed & (1 << index)) !== 0).map(([name]) => `, ${name} = ?`)
    const statement = this.#db.prepare(
      `UPDATE entity SET version = ?, epoch = ?, seq = ?, active_at = ?, control = ?${columns.join("")} WHERE id = ?`,
    )
    this.#updates.set(changed, statement)
    return statement
  }

  #retag(entity: number, before: string, after: string): void {
    const old = JSON.parse(before) as Record<string, string>
    const next = JSON.parse(after) as Record<string, string>
    for (const [name, value] of Object.entries(old)) if (next[name] !== value) this.#dropTag.run(name, value, entity)
    for (const [name, value] of Object.entries(next)) if (old[name] !== value) this.#putTag.run(name, value, entity)
  }
}
