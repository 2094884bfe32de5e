import { RouseError } from "@rouse/protocol"
import type { SpaceClaim, SpaceResult, SpaceWrite } from "../space.ts"
import { SpaceLog } from "./space-log.ts"
import { incremented, needRow, refuseLost, refuseUnexpected } from "./space-rules.ts"
import type { SpaceRowState, SpaceState } from "./space-state.ts"

/** The rows of spaces as a commit has them so far. */
export interface SpaceRows {
  row(stream: number, collection: string, key: string): SpaceRowState | undefined
  put(space: SpaceState, old: SpaceRowState | undefined, next: SpaceRowState | undefined): void
  claimable(space: SpaceState, claim: SpaceClaim, nowMs: number): readonly SpaceRowState[]
  held(
    space: SpaceState,
    claim: SpaceClaim,
    nowMs: number,
  ): { readonly count: number; readonly rows: readonly SpaceRowState[] }
}

type WriteOf<K extends SpaceWrite["kind"]> = Extract<SpaceWrite, { readonly kind: K }>

/** Who writes, and whose the rows are that it inserts. */
export interface SpaceWriter {
  readonly by: string
  readonly owner: string | null
}

/** The writes of one operation on one space. */
export class SpaceWriting {
  readonly space: SpaceState
  readonly log: SpaceLog
  /** How many more rows there are after it. */
  more = 0
  readonly #plan: SpaceRows
  readonly #nowMs: number

  readonly #owner: string | null

  constructor(plan: SpaceRows, space: SpaceState, tail: number, { by, owner }: SpaceWriter, nowMs: number) {
    this.#plan = plan
    this.space = space
    this.#owner = owner
    this.log = new SpaceLog(tail, by, nowMs)
    this.#nowMs = nowMs
  }

  do(write: SpaceWrite): SpaceResult {
    if (this.space.definition.collections[write.collection] === undefined) {
      throw new RouseError("NOT_FOUND", `there is no collection ${JSON.stringify(write.collection)}`)
    }
    if (write.kind === "claim") return this.#claim(write)
    const row = this.#plan.row(this.space.stream, write.collection, write.key)
    if (write.kind === "insert") return this.#insert(row, write)
    return this.#change(needRow(row, write.collection, write.key), write)
  }

  #change(row: SpaceRowState, write: Exclude<SpaceWrite, WriteOf<"insert" | "claim">>): SpaceResult {
    switch (write.kind) {
      case "update":
        refuseUnexpected(row, write, this.#nowMs)
        return this.#put(row, this.#revalued(row, write.value))
      case "delete":
        refuseUnexpected(row, write, this.#nowMs)
        return this.delete(row)
      case "increment":
        return this.#put(row, this.#revalued(row, incremented(row, write)))
      case "complete":
        refuseUnexpected(row, write, this.#nowMs)
        return this.#complete(row, write)
      case "release":
        return this.#release(row, write)
      case "renew": {
        refuseLost(row, write.token)
        const renewed = { ...row, freeAtMs: write.expiresAtMs }
        this.log.claim(renewed, "update")
        return this.#put(row, renewed)
      }
    }
  }

  #insert(
    row: SpaceRowState | undefined,
    { collection, key, value, rowsMax, done = false }: WriteOf<"insert">,
  ): SpaceResult {
    if (row !== undefined) {
      throw new RouseError("ALREADY_EXISTS", `${collection}: there is a row ${JSON.stringify(key)} already`, {
        details: { guard: "row", collection, key, version: row.version },
      })
    }
    if (this.space.rows + this.more >= rowsMax) {
      throw new RouseError("TOO_LARGE", `the space has ${rowsMax} rows already: as many as there may be`)
    }
    const at = this.log.position
    const free = { token: 0, done, holder: null, claim: null, freeAtMs: 0 }
    const made: SpaceRowState = { collection, key, value, version: at, made: at, ...free, owner: this.#owner }
    this.log.row(made, "insert")
    if (done) this.log.claim(made, "insert")
    this.more += 1
    return this.#put(undefined, made)
  }

  /** The row with another value, which the log is told. */
  #revalued(row: SpaceRowState, value: string): SpaceRowState {
    const next = { ...row, value, version: this.log.position }
    this.log.row(next, "update")
    return next
  }

  delete(row: SpaceRowState): SpaceResult {
    if (hasClaimRow(row)) this.log.claim(row, "delete")
    this.log.row(row, "delete")
    this.more -= 1
    this.#plan.put(this.space, row, undefined)
    return { kind: "written", key: row.key, version: null }
  }

  #complete(row: SpaceRowState, { value }: WriteOf<"complete">): SpaceResult {
    const valued = value === undefined || value === row.value ? row : this.#revalued(row, value)
    const done = { ...valued, done: true, holder: null, claim: null, freeAtMs: 0 }
    this.log.claim(done, "update")
    return this.#put(row, done)
  }

  #release(row: SpaceRowState, { token, expired = false }: WriteOf<"release">): SpaceResult {
    if (token !== undefined) refuseLost(row, token)
    if (!hasClaimRow(row)) return { kind: "written", key: row.key, version: row.version }
    this.log.claim(row, "delete", expired)
    return this.#put(row, { ...row, done: false, holder: null, claim: null, freeAtMs: 0 })
  }

  #claim(write: SpaceClaim): SpaceResult {
    const { holder, claim, expiresAtMs, heldMax, limit } = write
    const { count, rows: already } = this.#plan.held(this.space, write, this.#nowMs)
    if (already.length > 0) return { kind: "claimed", rows: already }
    if (count >= heldMax) {
      throw new RouseError("RATE_LIMITED", `${holder} has ${count} rows claimed already: as many as it may`)
    }
    const asked = { ...write, limit: Math.min(limit, heldMax - count) }
    const rows = this.#plan.claimable(this.space, asked, this.#nowMs).map((row) => {
      const taken = { ...row, token: this.log.position, holder, claim, freeAtMs: expiresAtMs }
      this.log.claim(taken, hasClaimRow(row) ? "update" : "insert")
      this.#plan.put(this.space, row, taken)
      return taken
    })
    return { kind: "claimed", rows }
  }

  #put(old: SpaceRowState | undefined, next: SpaceRowState): SpaceResult {
    this.#plan.put(this.space, old, next)
    return { kind: "written", key: next.key, version: next.version }
  }
}

/** Whether the log has a row of the collection `claim` for it. */
function hasClaimRow({ holder, done }: SpaceRowState): boolean {
  return holder !== null || done
}
