import type { Sql } from "postgres"
import { driverOptions } from "./connection.ts"
import type { SqlValue } from "./connection.ts"
import { databaseFailure } from "./database-failure.ts"
import { quoted } from "./literal.ts"
import type { SqlRow } from "./states.ts"

export interface HeldOptions {
  readonly url: string
  readonly schema: string
  /** Names the database in errors. */
  readonly where: string
}

/** How many rows come at once: each may be a megabyte. */
const FETCH_ROWS = 128

/**
 * One transaction in a connection of its own that is held for as long as a long piece of work takes. Nothing is prepared: a pooler in transaction mode
 * may be in between.
 *
 * 1. When its connection is lost it is over: no statement is ever done outside of it.
 */
export class HeldTransaction {
  readonly #sql: Sql
  readonly #options: HeldOptions
  readonly #lost: () => boolean
  #cursors = 0

  private constructor(sql: Sql, options: HeldOptions, lost: () => boolean) {
    this.#sql = sql
    this.#options = options
    this.#lost = lost
  }

  /** @throws {RouseError} `STORE_UNAVAILABLE`. */
  static async begin(options: HeldOptions): Promise<HeldTransaction> {
    const { default: postgres } = await import("postgres")
    let isLost = false
    const sql: Sql = postgres(options.url, {
      ...driverOptions({ pooled: true, connectionsMax: 1 }),
      idle_timeout: 0,
      max_lifetime: null,
      onclose: () => {
        isLost = true
      },
    })
    const held = new HeldTransaction(sql, options, () => isLost)
    try {
      await held.query(
        "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off",
      )
      return held
    } catch (error) {
      await held.end()
      throw error
    }
  }

  /** Text in which `~` stands before the name of a table of the schema. @throws as `Connection.query`. */
  async query(text: string, values: readonly SqlValue[] = []): Promise<readonly SqlRow[]> {
    const { where, schema } = this.#options
    try {
      if (this.#lost()) throw Object.assign(new Error("the connection was lost"), { code: "08006" })
      return await this.#sql.unsafe(quoted(text.replaceAll("~", `${schema}.`), values)).simple()
    } catch (error) {
      throw databaseFailure(error, where)
    }
  }

  /** The rows of a query, a few at a time, however many there are. */
  async *rows(text: string): AsyncGenerator<readonly SqlRow[], void, undefined> {
    this.#cursors += 1
    const cursor = `rows_${this.#cursors}`
    await this.query(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}`)
    for (;;) {
      const rows = await this.query(`FETCH ${FETCH_ROWS} FROM ${cursor}`)
      if (rows.length > 0) yield rows
      if (rows.length < FETCH_ROWS) break
    }
    await this.query(`CLOSE ${cursor}`)
  }

  async commit(): Promise<void> {
    await this.query("COMMIT")
  }

  /** What was not committed never was. */
  async end(): Promise<void> {
    await this.#sql.end({ timeout: 0 })
  }
}
