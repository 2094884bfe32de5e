import { RouseError } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { SpaceClaim, SpaceOp, SpaceResult } from "../space.ts"
import { parseOffset } from "./offset.ts"
import { SpaceLog } from "./space-log.ts"
import { queuesOf } from "./space-queue.ts"
import { isHeld, refuseStranded } from "./space-rules.ts"
import type { QueuedRow, SpaceRowState, SpaceState, SpaceTableWrite, SpaceView } from "./space-state.ts"
import { type SpaceRows, SpaceWriting } from "./space-writing.ts"
import type { StreamState } from "./stream-state.ts"

/** What a plan of spaces needs of the commit's. */
export interface SpaceShell {
  stream(path: string): StreamState | undefined
  createStream(path: string, nowMs: number): void
  append(path: string, data: Uint8Array, nowMs: number): void
  deleteStream(path: string): void
  write(write: SpaceTableWrite): void
}

/**
 * Decides what the changes of spaces in one commit do. Each sees those before it.
 *
 * 1. A row changes only together with the message on the space's log that says so.
 * 2. A version or token is the position of such a message: it grows over the whole space, and never comes again.
 * 3. A row has at most one holder, and stands in its queues unless it is done.
 */
export class SpacePlan implements SpaceRows {
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
        const { by, owner = null } = op.change
        const writing = new SpaceWriting(this, need(space, op.path), stream?.tail ?? 0, { by, owner }, op.nowMs)
        for (const write of op.change.writes) this.results.push(writing.do(write))
        this.#finish(op, writing)
        return
      }
      case "disown":
        return this.#disown(op, need(space, op.path), op.change)
      case "forgotten":
        return this.#forgotten(op.path, need(space, op.path), op.change.until)
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
    const made = { stream: stream.id, createdAtMs: op.nowMs, rows: 0, forget: 0, ...old }
    const state = { ...made, version: version + 1, definition: change.definition }
    this.#spaces.set(stream.id, state)
    this.#shell.write({ kind: "putSpace", path: op.path, state, isNew: old === undefined })
  }

  #drop(path: string, { stream }: SpaceState): void {
    this.#spaces.set(stream, undefined)
    this.#shell.write({ kind: "dropSpace", stream })
    this.#shell.deleteStream(path)
  }

  #finish(op: SpaceOp, { log, space, more }: SpaceWriting): void {
    if (!log.isEmpty) this.#shell.append(op.path, log.bytes, op.nowMs)
    if (more === 0) return
    this.#spaces.set(space.stream, { ...space, rows: space.rows + more })
    this.#shell.write({ kind: "countRows", stream: space.stream, by: more })
  }

  /**
   * The deletions are a batch of their own, and another comes behind it: a stream keeps its last batch, and so all that names the rows can be
   * trimmed.
   */
  #disown(
    op: SpaceOp,
    space: SpaceState,
    { owner, rows: asked }: Extract<SpaceOp["change"], { kind: "disown" }>,
  ): void {
    const { stream } = space
    const rows = asked
      .flatMap(({ collection, key }) => this.row(stream, collection, key) ?? [])
      .filter((row) => row.owner === owner)
    if (rows.length === 0) return
    const writing = new SpaceWriting(this, space, this.#tail(op.path), { by: "", owner: null }, op.nowMs)
    for (const row of rows) writing.delete(row)
    this.#finish(op, writing)
    const forget = this.#tail(op.path)
    const log = new SpaceLog(forget, "", op.nowMs)
    log.define(op.path, space.definition, "update")
    this.#shell.append(op.path, log.bytes, op.nowMs)
    this.#mark({ ...space, rows: space.rows - rows.length }, forget)
  }

  #forgotten(path: string, space: SpaceState, until: Offset): void {
    const stream = this.#shell.stream(path)
    const position = stream && parseOffset(stream.incarnation, until)
    if (position !== undefined && space.forget > 0 && space.forget <= position) this.#mark(space, 0)
  }

  #mark(space: SpaceState, forget: number): void {
    this.#spaces.set(space.stream, { ...space, forget })
    this.#shell.write({ kind: "markSpace", stream: space.stream, forget })
  }

  #tail(path: string): number {
    return this.#shell.stream(path)?.tail ?? 0
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

function queued({ definition }: SpaceState, row: SpaceRowState, before?: QueuedRow): QueuedRow {
  const known = before !== undefined && before.row.value === row.value
  const indexed = known ? before.indexed : queuesOf(definition.collections[row.collection], row.value)
  return { row, indexed, queues: row.done ? [] : indexed }
}

/** @throws {RouseError} `NOT_FOUND`. */
function need(space: SpaceState | undefined, path: string): SpaceState {
  if (space !== undefined) return space
  throw new RouseError("NOT_FOUND", `there is no space ${path}`, { details: { path } })
}
