import { RouseError } from "@rouse/protocol"
import type { SpaceClaim, SpaceOp, SpaceResult, SpaceWrite } from "../space.ts"
import { SpaceLog } from "./space-log.ts"
import { queuesOf } from "./space-queue.ts"
import { incremented, isHeld, needRow, refuseLost, refuseStranded, refuseUnexpected } from "./space-rules.ts"
import type { QueuedRow, SpaceRowState, SpaceState, SpaceTableWrite, SpaceView } from "./space-state.ts"
import type { StreamState } from "./stream-state.ts"

/** What a plan of spaces needs of the commit's. */
export interface SpaceShell {
  stream(path: string): StreamState | undefined
  createStream(path: string, nowMs: number): void
  append(path: string, data: Uint8Array, nowMs: number): void
  deleteStream(path: string): void
  write(write: SpaceTableWrite): void
}

type WriteOf<K extends SpaceWrite["kind"]> = Extract<SpaceWrite, { readonly kind: K }>

/**
 * Decides what the changes of spaces in one commit do. Each sees those before it.
 *
 * 1. A row changes only together with the message on the space's log that says so.
 * 2. A version or token is the position of such a message: it grows over the whole space, and never comes again.
 * 3. A row has at most one holder, and stands in its queues unless it is done.
 */
export class SpacePlan {
  readonly #view: SpaceView
  readonly #shell: SpaceShell
  readonly #spaces = new Map<number, SpaceState | undefined>()
  /** Rows as this commit leaves them. */
  readonly #rows = new Map<string, SpaceRowState | undefined>()
  readonly results: SpaceResult[] = []

  constructor(view: SpaceView, shell: SpaceShell) {
    this.#view = view
    this.#shell = shell
  }

  do(op: SpaceOp): void {
    const space = this.#space(op.path)
    switch (op.change.kind) {
      case "define":
        return this.#define(op, space, op.change)
      case "drop":
        return this.#drop(op.path, need(space, op.path))
      case "write": {
        const stream = this.#shell.stream(op.path)
        const writing = new Writing(this, need(space, op.path), stream?.tail ?? 0, op.change.by, op.nowMs)
        for (const write of op.change.writes) this.results.push(writing.do(write))
        this.#finish(op, writing)
      }
    }
  }

  #space(path: string): SpaceState | undefined {
    const id = this.#shell.stream(path)?.id
    if (id === undefined) return undefined
    return this.#spaces.has(id) ? this.#spaces.get(id) : this.#view.space(id)
  }

  #define(op: SpaceOp, old: SpaceState | undefined, change: Extract<SpaceOp["change"], { kind: "define" }>): void {
    const version = old?.version ?? 0
    if (version !== change.version) {
      throw new RouseError("CONFLICT", `the space ${op.path} has version ${version}, not ${change.version}`, {
        details: { guard: "space", path: op.path, version },
      })
    }
    if (old !== undefined) refuseStranded(old, change.definition, this.#view)
    else this.#shell.createStream(op.path, op.nowMs)
    const stream = this.#shell.stream(op.path)
    if (stream === undefined) throw new Error(`the stream ${op.path} was not made`)
    const log = new SpaceLog(stream.tail, "", op.nowMs)
    log.define(op.path, change.definition, old === undefined ? "insert" : "update")
    this.#shell.append(op.path, log.bytes, op.nowMs)
    const made = { stream: stream.id, createdAtMs: op.nowMs, rows: 0, ...old }
    const state = { ...made, version: version + 1, definition: change.definition }
    this.#spaces.set(stream.id, state)
    this.#shell.write({ kind: "putSpace", path: op.path, state, isNew: old === undefined })
  }

  #drop(path: string, { stream }: SpaceState): void {
    this.#spaces.set(stream, undefined)
    this.#shell.write({ kind: "dropSpace", stream })
    this.#shell.deleteStream(path)
  }

  #finish(op: SpaceOp, { log, space, more }: Writing): void {
    if (!log.isEmpty) this.#shell.append(op.path, log.bytes, op.nowMs)
    if (more === 0) return
    this.#spaces.set(space.stream, { ...space, rows: space.rows + more })
    this.#shell.write({ kind: "countRows", stream: space.stream, by: more })
  }

  row(stream: number, collection: string, key: string): SpaceRowState | undefined {
    const name = `${stream}\n${collection}\n${key}`
    return this.#rows.has(name) ? this.#rows.get(name) : this.#view.row(stream, collection, key)
  }

  put(space: SpaceState, old: SpaceRowState | undefined, next: SpaceRowState | undefined): void {
    const row = next ?? old
    if (row === undefined) return
    const { stream } = space
    this.#rows.set(`${stream}\n${row.collection}\n${row.key}`, next)
    const before = old && queued(space, old)
    if (next !== undefined)
      this.#shell.write({ kind: "putSpaceRow", stream, old: before, next: queued(space, next, before) })
    else if (before !== undefined) this.#shell.write({ kind: "dropSpaceRow", stream, old: before })
  }

  claimable({ stream }: SpaceState, { collection, queue, limit }: SpaceClaim, nowMs: number): SpaceRowState[] {
    return this.#view
      .claimable(stream, collection, queue, nowMs, limit + this.#rows.size)
      .filter(({ key }) => !this.#rows.has(`${stream}\n${collection}\n${key}`))
      .slice(0, limit)
  }

  /** How many more rows a holder may take, and which it has by this claim. Claims of this commit itself are not counted. */
  held({ stream }: SpaceState, { holder, claim }: SpaceClaim, nowMs: number): { count: number; rows: SpaceRowState[] } {
    const rows = this.#view.held(stream, holder, claim).filter((row) => isHeld(row, nowMs))
    return { count: rows.length > 0 ? 0 : this.#view.heldCount(stream, holder, nowMs), rows }
  }
}

/** The writes of one operation on one space. */
class Writing {
  readonly space: SpaceState
  readonly log: SpaceLog
  /** How many more rows there are after it. */
  more = 0
  readonly #plan: SpacePlan
  readonly #nowMs: number

  constructor(plan: SpacePlan, space: SpaceState, tail: number, by: string, nowMs: number) {
    this.#plan = plan
    this.space = space
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
        return this.#delete(row)
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

  #insert(row: SpaceRowState | undefined, { collection, key, value, rowsMax }: WriteOf<"insert">): SpaceResult {
    if (row !== undefined) {
      throw new RouseError("ALREADY_EXISTS", `${collection}: there is a row ${JSON.stringify(key)} already`, {
        details: { guard: "row", collection, key, version: row.version },
      })
    }
    if (this.space.rows + this.more >= rowsMax) {
      throw new RouseError("TOO_LARGE", `the space has ${rowsMax} rows already: as many as there may be`)
    }
    const at = this.log.position
    const free = { token: 0, done: false, holder: null, claim: null, freeAtMs: 0 }
    const made: SpaceRowState = { collection, key, value, version: at, made: at, ...free }
    this.log.row(made, "insert")
    this.more += 1
    return this.#put(undefined, made)
  }

  /** The row with another value, which the log is told. */
  #revalued(row: SpaceRowState, value: string): SpaceRowState {
    const next = { ...row, value, version: this.log.position }
    this.log.row(next, "update")
    return next
  }

  #delete(row: SpaceRowState): SpaceResult {
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

function queued({ definition }: SpaceState, row: SpaceRowState, before?: QueuedRow): QueuedRow {
  if (row.done) return { row, queues: [] }
  const known = before !== undefined && !before.row.done && before.row.value === row.value
  return { row, queues: known ? before.queues : queuesOf(definition.collections[row.collection], row.value) }
}

/** @throws {RouseError} `NOT_FOUND`. */
function need(space: SpaceState | undefined, path: string): SpaceState {
  if (space !== undefined) return space
  throw new RouseError("NOT_FOUND", `there is no space ${path}`, { details: { path } })
}
