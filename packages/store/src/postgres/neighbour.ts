import type { Sql } from "postgres"
import { driverOptions } from "./connection.ts"
import type { CountedReplica } from "./replica-session.ts"
import { lockClassOf } from "./replica-session.ts"

/** How soon the database ends a wait whose process is gone, milliseconds. */
const CHECK_MS = 1_000

/**
 * Waits for the end of one other replica's session, in a connection of its own: each replica minds the next one, so that every end is seen by
 * somebody at once, with one wait a replica.
 */
export class Neighbour {
  readonly #url: string
  readonly #class: number
  readonly #onEnd: () => void
  #sql: Sql | undefined
  #serial: number | undefined

  constructor(url: string, schema: string, onEnd: () => void) {
    this.#url = url
    this.#class = lockClassOf(schema)
    this.#onEnd = onEnd
  }

  /** Minds the one that follows in the order of ids. */
  mind(counted: readonly CountedReplica[], own: string): void {
    const others = counted.filter(({ id, live, locks }) => id !== own && live && locks)
    const next = others.find(({ id }) => id > own) ?? others[0]
    if (next?.serial === this.#serial) return
    this.close()
    if (next === undefined) return
    this.#serial = next.serial
    void this.#wait(next.serial)
  }

  close(): void {
    const sql = this.#sql
    this.#sql = undefined
    this.#serial = undefined
    void sql?.end({ timeout: 0 }).catch(() => undefined)
  }

  async #wait(serial: number): Promise<void> {
    const { default: postgres } = await import("postgres")
    if (this.#serial !== serial) return
    const options = driverOptions({ pooled: false, connectionsMax: 1 })
    const sql = postgres(this.#url, {
      ...options,
      idle_timeout: 0,
      max_lifetime: null,
      connection: { application_name: "rouse", statement_timeout: 0 },
    })
    this.#sql = sql
    const ended = await sql
      .unsafe(`SET client_connection_check_interval = ${CHECK_MS}`)
      .catch(() => undefined)
      .then(() => sql.unsafe("SELECT pg_advisory_lock_shared($1, $2)", [this.#class, serial]))
      .then(
        () => true,
        () => false,
      )
    // A wait that was lost begins anew with the next look.
    if (this.#sql !== sql) return
    this.close()
    if (ended) this.#onEnd()
  }
}
