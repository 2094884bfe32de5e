import { randomInt } from "node:crypto"
import type { Sql } from "postgres"
import { numberOf } from "../core/home.ts"
import type { Connection, SqlValue } from "./connection.ts"
import { driverOptions } from "./connection.ts"
import { databaseFailure } from "./database-failure.ts"
import type { SqlRow } from "./states.ts"

/** How long a database may take to answer a session, milliseconds: beyond it the connection is given up. */
const ANSWER_MS_MAX = 5_000
/** Without an advisory lock of its own: how long after it was last seen a replica counts as there, seconds. */
const SEEN_SECONDS = 15
const SERIAL_MAX = 2 ** 31 - 1
/** How the database finds that a machine is gone which did not say so: seconds, and probes; and, where it owed it something, milliseconds. */
const KEEPALIVE = {
  tcp_keepalives_idle: 5,
  tcp_keepalives_interval: 2,
  tcp_keepalives_count: 3,
  tcp_user_timeout: 11_000,
}

/** A replica as the database has it. */
export interface CountedReplica {
  readonly id: string
  readonly serial: number
  readonly capacity: number
  readonly locks: boolean
  readonly live: boolean
}

export interface SessionParts {
  readonly connection: Connection
  readonly schema: string
  readonly id: string
  /** Straight to the database; none behind a pooler: there a session lasts as long as it is seen. */
  readonly url: string | undefined
  /** The session ended by itself. */
  readonly onLost: () => void
}

/** The first of the two numbers of the advisory locks of a schema's sessions. */
export function lockClassOf(schema: string): number {
  return numberOf(`replicas ${schema}`) % SERIAL_MAX
}

/** Whether a replica is there: its lock cannot be had. The lock is given back with the statement. */
const CENSUS = `SELECT id, serial, capacity, locks, CASE WHEN locks THEN NOT pg_try_advisory_xact_lock_shared($1, serial)
    ELSE seen_at > now() - interval '${SEEN_SECONDS} s' END AS live, pg_backend_pid() AS pid FROM ~replica ORDER BY id`
const PUT = `INSERT INTO ~replica (tree, id, serial, capacity, locks, seen_at) VALUES (0, $1, $2, $3, $4, now())
  ON CONFLICT (tree, id) DO UPDATE SET serial = $2, capacity = $3, locks = $4, seen_at = now()`

/**
 * This process's session in the database: a connection that holds an advisory lock, so that the database itself says when it ends.
 *
 * 1. The lock is held before the row names it: who reads the row finds the lock taken.
 * 2. A census is taken in the session that holds the lock. Had that ended, the answer would come from another, and says so.
 */
export class ReplicaSession {
  readonly #parts: SessionParts
  readonly #class: number
  #sql: Sql | undefined
  #serial = 0
  #pid: number | undefined

  constructor(parts: SessionParts) {
    this.#parts = parts
    this.#class = lockClassOf(parts.schema)
  }

  get id(): string {
    return this.#parts.id
  }

  /** Begins a session, in place of one that was lost. */
  async begin(capacity: number): Promise<void> {
    this.abandon()
    const { connection, id, url, onLost } = this.#parts
    if (url !== undefined) {
      const { default: postgres } = await import("postgres")
      const options = driverOptions({ pooled: false, connectionsMax: 1 })
      const sql: Sql = postgres(url, {
        ...options,
        idle_timeout: 0,
        max_lifetime: null,
        onclose: () => {
          if (this.#sql === sql) onLost()
        },
        connection: { ...options.connection, ...KEEPALIVE },
      })
      this.#sql = sql
      // Another number each time: the database may not know yet that the one before has ended.
      this.#serial = 1 + randomInt(SERIAL_MAX - 1)
      const [row] = await this.#ask("SELECT pg_advisory_lock($1, $2), pg_backend_pid() AS pid", [
        this.#class,
        this.#serial,
      ])
      this.#pid = Number(row?.["pid"])
    }
    await connection.read(PUT, [id, this.#serial, capacity, url !== undefined])
  }

  /**
   * Everybody on record, as of now; undefined when this session is over, or nobody knows of it.
   *
   * @throws when the database does not answer.
   */
  async census(): Promise<readonly CountedReplica[] | undefined> {
    const { connection, id, url } = this.#parts
    if (url === undefined) await connection.read("UPDATE ~replica SET seen_at = now() WHERE tree = 0 AND id = $1", [id])
    const rows = await (url === undefined ? connection.read(CENSUS, [this.#class]) : this.#ask(CENSUS, [this.#class]))
    const [first] = rows
    if (url !== undefined && first !== undefined && Number(first["pid"]) !== this.#pid) return undefined
    const counted = rows.map((row) => this.#counted(row))
    return counted.some((one) => one.id === id && one.serial === this.#serial) ? counted : undefined
  }

  /** Everybody on record, whether or not this process has a session. @throws {RouseError} `STORE_UNAVAILABLE`. */
  async others(): Promise<readonly CountedReplica[]> {
    return (await this.#parts.connection.read(CENSUS, [this.#class])).map((row) => this.#counted(row))
  }

  async capacity(capacity: number): Promise<void> {
    const sql = "UPDATE ~replica SET capacity = $2 WHERE tree = 0 AND id = $1"
    await this.#parts.connection.read(sql, [this.#parts.id, capacity])
  }

  async end(): Promise<void> {
    const { connection, id } = this.#parts
    await connection.read("DELETE FROM ~replica WHERE tree = 0 AND id = $1", [id]).finally(() => this.abandon())
  }

  abandon(): void {
    void this.#sql?.end({ timeout: 0 }).catch(() => undefined)
    this.#sql = undefined
    this.#pid = undefined
  }

  /** A lock that this process holds itself can be had by it, and says nothing. */
  #counted(row: SqlRow): CountedReplica {
    const id = row["id"] as string
    const serial = Number(row["serial"])
    const isOwn = id === this.#parts.id && serial === this.#serial
    const locks = row["locks"] === true
    return { id, serial, capacity: Number(row["capacity"]), locks, live: row["live"] === true || (isOwn && locks) }
  }

  async #ask(text: string, values: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    const sql = this.#sql
    if (sql === undefined) throw new Error("there is no session")
    const late = Promise.withResolvers<never>()
    const timer = setTimeout(() => late.reject(new Error("the database did not answer a session")), ANSWER_MS_MAX)
    try {
      const answer = sql.unsafe(text.replaceAll("~", `${this.#parts.schema}.`), values as (string | number)[])
      return await Promise.race([answer, late.promise])
    } catch (error) {
      throw databaseFailure(error, this.#parts.connection.where)
    } finally {
      clearTimeout(timer)
    }
  }
}
