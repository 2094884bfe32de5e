import { RouseError } from "@rouse/protocol"
import { numberOf } from "../core/home.ts"
import { formatMark, MOVE_KEY, parseMark } from "../core/move-mark.ts"
import type { MoveMark } from "../core/move-mark.ts"
import { Connection, placeOf } from "../postgres/connection.ts"
import { DatabaseError, refusalOf } from "../postgres/database-failure.ts"
import { HeldTransaction } from "../postgres/held-transaction.ts"
import { migrate } from "../postgres/migrate.ts"
import { ReplicaSession } from "../postgres/replica-session.ts"
import { DEFAULT_SCHEMA } from "../postgres/schema-name.ts"
import { SET_MOVED } from "../postgres/subscription-set.ts"
import type { Found, MoveEnd, StoreReader, StoreWriter } from "./end.ts"
import { PostgresReader } from "./postgres-read.ts"
import { PostgresWriter } from "./postgres-write.ts"
import { MOVE_TABLES } from "./tables.ts"

/** How long to wait for commits under way before their table is ours, seconds. */
const LOCK_SECONDS_MAX = 10
const CONNECTIONS_MAX = 2
/** What is not of agents, but of the processes that serve them, or of the database and its roles. */
const KEPT_TABLES = ["meta", "replica", "tenant_reader"]

export interface PostgresEndOptions {
  readonly url: string
  readonly schema: string
  readonly pooled: boolean
  /** From 0 to 1. */
  readonly random: () => number
}

/**
 * A schema of a database as one end of a move.
 *
 * 1. An advisory lock keeps other moves away. Of a source all tables are locked against writers, in the same transaction, which ends with the mark.
 * 2. Processes that have the store open and are not seen, because they joined no others, find in the next commit that it was moved (`SET_MOVED`).
 */
export class PostgresEnd implements MoveEnd {
  readonly where: string
  readonly #options: PostgresEndOptions
  #connection: Connection | undefined
  #claim: HeldTransaction | undefined
  #reading: HeldTransaction | undefined
  #isSource = false

  constructor(options: PostgresEndOptions) {
    this.#options = options
    const place = placeOf(options.url)
    this.where = options.schema === DEFAULT_SCHEMA ? place : `${place} (schema ${options.schema})`
  }

  claim(role: "source" | "target"): Promise<Found> {
    return this.#try(async () => {
      const { url, schema, pooled } = this.#options
      const connection = await Connection.open({ url, schema, pooled, connectionsMax: CONNECTIONS_MAX })
      this.#connection = connection
      this.#isSource = role === "source"
      const claim = await HeldTransaction.begin({ url, schema, where: this.where })
      this.#claim = claim
      const [lock] = await claim.query("SELECT pg_try_advisory_xact_lock($1) AS had", [numberOf(`move ${schema}`)])
      if (lock?.["had"] !== true) throw this.#busy("another move is under way there")
      if (!(await this.#isThere())) return { kind: "empty" }
      if (role === "source") await this.#prepareSource(claim)
      await this.#refuseServed()
      await this.#refuseOffloaded()
      return this.#found()
    })
  }

  reader(): Promise<StoreReader> {
    return this.#try(async () => {
      if (this.#isSource) return new PostgresReader(this.#held())
      const { url, schema } = this.#options
      this.#reading = await HeldTransaction.begin({ url, schema, where: this.where })
      return new PostgresReader(this.#reading)
    })
  }

  begin(mark: MoveMark, source: StoreReader): Promise<StoreWriter> {
    return this.#try(async () => {
      const { schema, random } = this.#options
      const connection = this.#open()
      const seed = random()
      await connection.repeat(() => migrate(connection, schema, seed))
      const tables = (await this.#tables()).map((name) => `${schema}."${name}"`).join(", ")
      await connection.script([
        `TRUNCATE ${tables}`,
        `INSERT INTO ${schema}.era (n, at) VALUES (0, ${Number.MIN_SAFE_INTEGER})`,
      ])
      await this.setMark(mark)
      return new PostgresWriter(connection, source)
    })
  }

  setMark(mark: MoveMark): Promise<void> {
    const put = `INSERT INTO ~meta (key, value) VALUES ('${MOVE_KEY}', $1), ('subscriptions', $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value`
    return this.#try(async () => {
      const values = [formatMark(mark), String(SET_MOVED)]
      if (!this.#isSource) return void (await this.#open().read(put, values))
      await this.#held().query(put, values)
      await this.#held().commit()
    })
  }

  publish(): Promise<void> {
    return this.#try(async () => {
      const { schema } = this.#options
      await this.#open().script([
        `UPDATE ${schema}.meta SET value = '1' WHERE key = 'subscriptions'`,
        `DELETE FROM ${schema}.meta WHERE key = '${MOVE_KEY}'`,
      ])
    })
  }

  async close(): Promise<void> {
    await this.#reading?.end()
    await this.#claim?.end()
    await this.#connection?.close()
  }

  /** Changes of the tables come before the lock that would keep them waiting. */
  async #prepareSource(claim: HeldTransaction): Promise<void> {
    const { schema, random } = this.#options
    const connection = this.#open()
    const seed = random()
    await this.#refuseServed()
    await connection.repeat(() => migrate(connection, schema, seed))
    const tables = [...(await this.#tables()), "meta"].map((name) => `~"${name}"`).join(", ")
    try {
      await claim.query(`SET LOCAL lock_timeout = '${LOCK_SECONDS_MAX}s'`)
      await claim.query(`LOCK TABLE ${tables} IN EXCLUSIVE MODE`)
    } catch (error) {
      if (error instanceof DatabaseError && error.fate === "again") throw this.#busy("commits are under way there")
      throw error
    }
  }

  async #refuseServed(): Promise<void> {
    const { schema } = this.#options
    const session = new ReplicaSession({
      connection: this.#open(),
      schema,
      id: "",
      url: undefined,
      onLost: () => undefined,
    })
    const live = (await session.others()).filter((one) => one.live)
    if (live.length > 0)
      throw this.#busy(live.length === 1 ? "a server runs on it" : `${live.length} servers run on it`)
  }

  /** What is in a bucket stays there: a copy would be without it, and nothing would remember the objects of what is written over. */
  async #refuseOffloaded(): Promise<void> {
    const [row] = await this.#open().read(
      "SELECT EXISTS (SELECT FROM ~offloaded) OR EXISTS (SELECT FROM ~loose) AS has",
      [],
    )
    if (row?.["has"] !== true) return
    const message = `${this.where} has parts of its logs in a bucket, and cannot be moved or written over`
    throw new RouseError("CONFLICT", message, { details: { where: this.where } })
  }

  async #found(): Promise<Found> {
    const rows = await this.#open().read(`SELECT key, value FROM ~meta WHERE key IN ('nonce', '${MOVE_KEY}')`, [])
    const values = new Map(rows.map((row) => [row["key"], row["value"]]))
    const mark = parseMark(values.get(MOVE_KEY))
    if (mark === undefined && (await this.#isEmpty())) return { kind: "empty" }
    return { kind: "store", nonce: String(values.get("nonce")), mark }
  }

  async #isEmpty(): Promise<boolean> {
    const any = MOVE_TABLES.filter(({ name }) => name !== "era").map(({ name }) => `EXISTS (SELECT FROM ~"${name}")`)
    const [row] = await this.#open().read(`SELECT ${any.join(" OR ")} AS has`, [])
    return row?.["has"] !== true
  }

  async #isThere(): Promise<boolean> {
    const [row] = await this.#open().read("SELECT to_regclass($1) IS NOT NULL AS there", [
      `${this.#options.schema}.meta`,
    ])
    return row?.["there"] === true
  }

  async #tables(): Promise<string[]> {
    const sql = "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY tablename"
    const rows = await this.#open().read(sql, [this.#options.schema])
    return rows.map((row) => row["tablename"] as string).filter((name) => !KEPT_TABLES.includes(name))
  }

  #busy(why: string): RouseError {
    const message = `${this.where} is in use: ${why}; stop it first`
    return new RouseError("CONFLICT", message, { details: { where: this.where, busy: true } })
  }

  #open(): Connection {
    if (this.#connection === undefined) throw new Error(`${this.where} is not open`)
    return this.#connection
  }

  #held(): HeldTransaction {
    if (this.#claim === undefined) throw new Error(`${this.where} is not claimed`)
    return this.#claim
  }

  async #try<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof DatabaseError ? refusalOf(error, this.where) : error
    }
  }
}
