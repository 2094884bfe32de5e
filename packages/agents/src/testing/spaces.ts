import { RouseError } from "@rouse/protocol"
import type {
  Json,
  JsonObject,
  SharedAnswers,
  SharedClaimBody,
  SharedDefinition,
  SharedHeld,
  SharedOp,
  SharedRequest,
  SharedRow,
  SharedWrite,
} from "@rouse/protocol"

const LEASE_MS = 60_000
const PAGE_ROWS = 100

type Row = { -readonly [K in keyof SharedRow<JsonObject>]: SharedRow<JsonObject>[K] } & {
  claimId?: string
  made: number
}

/**
 * The shared spaces of the in-memory Rouse. Rows are guarded and claimed as on a server; what an update makes of a row is not checked
 * against the schema here.
 */
export class TestSpaces {
  readonly #definitions = new Map<string, SharedDefinition>()
  readonly #rows = new Map<string, Map<string, Row>>()
  readonly #clock: () => number
  #position = 0

  constructor(clock: () => number) {
    this.#clock = clock
  }

  ask<R extends SharedRequest>(holder: string, request: R): SharedAnswers[R["kind"]] {
    return structuredClone(this.#answer(holder, request)) as SharedAnswers[R["kind"]]
  }

  /** Rows of a collection, by key. */
  list(space: string, collection: string): readonly SharedRow[] {
    return [...this.#of(space, collection).values()].sort((a, b) => (a.key < b.key ? -1 : 1)).map(shown)
  }

  /** Does all changes, or none. */
  write(writes: readonly SharedWrite[]): void {
    const before = new Map([...this.#rows].map(([name, rows]) => [name, new Map(rows)]))
    try {
      for (const { space, ops } of writes) for (const op of ops) this.#do(space, op)
    } catch (error) {
      this.#rows.clear()
      for (const [name, rows] of before) this.#rows.set(name, rows)
      throw error
    }
  }

  #answer(holder: string, request: SharedRequest): unknown {
    const { space } = request
    switch (request.kind) {
      case "open":
        this.#definitions.set(space, request.definition)
        return null
      case "get": {
        const row = this.#of(space, request.collection).get(request.key)
        return row ? shown(row) : null
      }
      case "list": {
        const { where = {}, after = "", limit = PAGE_ROWS } = request.query
        const rows = this.list(space, request.collection).filter(
          ({ key, value }) => key > after && matches(value, where),
        )
        return { rows: rows.slice(0, limit) }
      }
      case "claim":
        return this.#claim(space, holder, request.claim)
    }
  }

  #claim(
    space: string,
    holder: string,
    { collection, where = {}, limit = 1, leaseMs = LEASE_MS, id }: SharedClaimBody,
  ): SharedRow[] {
    const rows = [...this.#of(space, collection).values()]
    const mine = rows.filter((row) => row.claimId === id && this.#isHeld(row))
    if (mine.length > 0) return mine.map(shown)
    const free = rows.filter((row) => !row.done && !this.#isHeld(row) && matches(row.value, where))
    const ordered = free.sort(
      (a, b) => Number(a.claim === undefined) - Number(b.claim === undefined) || a.made - b.made,
    )
    return ordered.slice(0, limit).map((row) => {
      const expiresAt = new Date(this.#clock() + leaseMs).toISOString()
      const taken = {
        ...row,
        claim: { holder, token: this.#next(), expiresAt },
        ...(id === undefined ? {} : { claimId: id }),
      }
      this.#of(space, collection).set(row.key, taken)
      return shown(taken) as SharedHeld
    })
  }

  #do(space: string, op: SharedOp): void {
    const rows = this.#of(space, op.collection)
    if (op.op === "insert") return this.#insert(space, op, rows)
    const row = rows.get(op.key)
    if (row === undefined)
      throw new RouseError("NOT_FOUND", `${op.collection}: there is no row ${JSON.stringify(op.key)}`)
    if (op.op !== "increment") this.#refuse(op, row)
    if (op.op === "delete") rows.delete(op.key)
    else rows.set(op.key, this.#changed(op, row))
  }

  #insert(space: string, { collection, value }: Extract<SharedOp, { op: "insert" }>, rows: Map<string, Row>): void {
    const field = this.#definitions.get(space)?.collections[collection]?.key ?? "id"
    const key = keyOf(value[field])
    if (rows.has(key))
      throw new RouseError("ALREADY_EXISTS", `${collection}: there is a row ${JSON.stringify(key)} already`)
    const at = this.#next()
    rows.set(key, { key, value, version: at, made: at })
  }

  #changed(op: Exclude<SharedOp, { op: "insert" | "delete" }>, row: Row): Row {
    const { claim, done: _, claimId: __, ...plain } = row
    switch (op.op) {
      case "update":
        return { ...row, value: op.value ?? { ...row.value, ...op.set }, version: this.#next() }
      case "increment":
        return {
          ...row,
          value: { ...row.value, [op.field]: Number(row.value[op.field] ?? 0) + op.by },
          version: this.#next(),
        }
      case "complete":
        return {
          ...plain,
          done: true,
          ...(op.set ? { value: { ...row.value, ...op.set }, version: this.#next() } : {}),
        }
      case "release":
        return plain
      case "renew": {
        const expiresAt = new Date(this.#clock() + (op.leaseMs ?? LEASE_MS)).toISOString()
        return claim === undefined ? row : { ...row, claim: { ...claim, expiresAt } }
      }
    }
  }

  #refuse(op: Exclude<SharedOp, { op: "insert" | "increment" }>, row: Row): void {
    const name = `${op.collection}: the row ${JSON.stringify(row.key)}`
    const details = { guard: "row", version: row.version, value: JSON.stringify(row.value) }
    if (op.token !== undefined && row.claim?.token !== op.token) {
      throw new RouseError(
        "CLAIM_LOST",
        `${op.collection}: the claim ${op.token} on ${JSON.stringify(row.key)} is no longer held`,
      )
    }
    if (op.token === undefined && op.op !== "release" && this.#isHeld(row)) {
      throw new RouseError("ALREADY_CLAIMED", `${name} is claimed by ${row.claim?.holder}`, { details })
    }
    if ("version" in op && op.version !== undefined && op.version !== row.version) {
      throw new RouseError("CONFLICT", `${name} has version ${row.version}, not ${op.version}`, { details })
    }
  }

  #isHeld({ claim }: Row): boolean {
    return claim !== undefined && Date.parse(claim.expiresAt) > this.#clock()
  }

  #of(space: string, collection: string): Map<string, Row> {
    const name = `${space}\n${collection}`
    const known = this.#rows.get(name)
    if (known) return known
    const made = new Map<string, Row>()
    this.#rows.set(name, made)
    return made
  }

  #next(): number {
    this.#position += 1
    return this.#position
  }
}

function shown({ claimId: _claimId, made: _made, ...row }: Row): SharedRow {
  return structuredClone(row)
}

function matches(value: Json, where: JsonObject): boolean {
  const row = value as JsonObject
  return Object.entries(where).every(([field, wanted]) => JSON.stringify(row[field]) === JSON.stringify(wanted))
}

function keyOf(value: Json | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null)
}
