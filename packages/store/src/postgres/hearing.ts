import { driverOptions } from "./connection.ts"
import type { Sql } from "postgres"

/** Between two tries to listen, milliseconds. */
const AGAIN_MS = 1_000

export interface HearingParts {
  /** Straight to the database: a pooler in transaction mode does not pass notifications on. */
  readonly url: string
  readonly channel: string
  readonly onMessage: (payload: string) => void
  /** Something may have been missed: it listens now, and did not before. */
  readonly onListening: () => void
  /** It listens no more. */
  readonly onLost: () => void
}

/** A connection that listens, and is made anew whenever it is lost. */
export class Hearing {
  readonly #parts: HearingParts
  #sql: Sql | undefined
  #again: NodeJS.Timeout | undefined
  #closed = false
  isListening = false
  /** When the first try to listen has ended, well or not. */
  readonly tried: Promise<void>

  constructor(parts: HearingParts) {
    this.#parts = parts
    this.tried = this.#listen()
  }

  /** Listens on another connection from now on: the one that there is may be dark. */
  renew(): void {
    if (this.#sql !== undefined) this.#lost(this.#sql, 0)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#again)
    await this.#sql?.end({ timeout: 1 }).catch(() => undefined)
  }

  async #listen(): Promise<void> {
    const { default: postgres } = await import("postgres")
    if (this.#closed) return
    const { url, channel, onMessage, onListening } = this.#parts
    const options = driverOptions({ pooled: false, connectionsMax: 1 })
    const sql: Sql = postgres(url, { ...options, idle_timeout: 0, max_lifetime: null, onclose: () => this.#lost(sql) })
    this.#sql = sql
    try {
      await sql.listen(channel, onMessage)
      if (this.#closed || this.#sql !== sql) return
      this.isListening = true
      onListening()
    } catch {
      // The database cannot be reached: those who wait look by themselves meanwhile.
      this.#lost(sql)
    }
  }

  #lost(sql: Sql, againMs = AGAIN_MS): void {
    if (this.#closed || this.#sql !== sql) return
    this.#sql = undefined
    if (this.isListening) this.#parts.onLost()
    this.isListening = false
    void sql.end({ timeout: 0 }).catch(() => undefined)
    clearTimeout(this.#again)
    this.#again = setTimeout(() => void this.#listen(), againMs)
  }
}
