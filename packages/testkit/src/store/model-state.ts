import type { ErrorCode, Json } from "@rouse/protocol"
import type { AppendOp, Commit, EntityRecord, Guard, Op } from "@rouse/store"
import { applyDelete, applyFork, emptyStream } from "./model-fork.ts"

/** The store as one would write it with no disk and no hurry: what every engine is compared with. */
export interface ModelState {
  streams: Record<string, ModelStream>
  entities: Record<string, ModelEntity>
  timers: Record<string, number>
  receipts: Record<string, Json>
  /** Rows that came before their record, by address: none outlives its commit. */
  early: Record<string, Record<string, Json>>
}

export interface ModelStream {
  messages: string[]
  closed: boolean
  producers: Record<string, { epoch: number; seq: number }>
  fork?: { source: string; base: number; sub: number }
  forks: number
  deleted: boolean
}

interface ModelEntity {
  record: EntityRecord
  seq: number
  rows: Record<string, Json>
}

export type ModelResult = "applied" | "repeated" | ErrorCode

export function emptyModel(): ModelState {
  return { streams: {}, entities: {}, timers: {}, receipts: {}, early: {} }
}

/** The state after a commit, and what it answers. A refused or repeated commit leaves the state as it was. */
export function applyToModel(state: ModelState, commit: Commit): readonly [ModelState, ModelResult] {
  const next = structuredClone(state)
  const guards = commit.guards ?? []
  const ordered = [...guards.filter(({ kind }) => kind === "lease"), ...guards.filter(({ kind }) => kind !== "lease")]
  for (const step of [
    ...ordered.map((guard) => () => holds(state, guard)),
    ...ordered.map((guard) => () => recordLease(next, guard)),
    ...commit.ops.map((op, at) => () => applyOp(next, op, commit.ops.slice(at + 1))),
  ]) {
    const result = step()
    if (result !== "applied") return [state, result]
  }
  return [next, "applied"]
}

function holds(state: ModelState, guard: Guard): ModelResult {
  if (guard.kind === "timer") return guard.id in state.timers ? "applied" : "CONFLICT"
  if (guard.kind === "noReceipt") return guard.key in state.receipts ? "CONFLICT" : "applied"
  if (guard.kind === "subscription" || guard.kind === "observation" || guard.kind === "work")
    throw new Error(`the model has no ${guard.kind}`)
  const entity = state.entities[guard.url]
  if (guard.kind === "version") return (entity?.record.version ?? 0) === guard.version ? "applied" : "CONFLICT"
  if (entity?.record.epoch !== guard.epoch) return "FENCED"
  return guard.seq === undefined || guard.seq > entity.seq ? "applied" : "repeated"
}

function recordLease(state: ModelState, guard: Guard): ModelResult {
  const entity = guard.kind === "lease" ? state.entities[guard.url] : undefined
  if (guard.kind === "lease" && guard.seq !== undefined && entity !== undefined) entity.seq = guard.seq
  return "applied"
}

function applyOp(state: ModelState, op: Op, later: readonly Op[]): ModelResult {
  switch (op.op) {
    case "createStream":
      return applyCreate(state, op.path)
    case "forkStream":
      return applyFork(state.streams, op)
    case "append":
      return applyAppend(state.streams[op.path], op)
    case "deleteStream":
      return applyDelete(state.streams, op.path)
    case "touchStream":
      return "applied"
    case "putEntity":
      putEntity(state, op.record)
      return "applied"
    case "deleteEntity":
      delete state.entities[op.url]
      for (const id of Object.keys(state.timers)) if (id.startsWith(op.url)) delete state.timers[id]
      return "applied"
    case "putRow":
      return putRow(state, op, later)
    case "deleteRow":
      delete state.entities[op.url]?.rows[`${op.collection}/${op.key}`]
      delete state.early[op.url]?.[`${op.collection}/${op.key}`]
      return "applied"
    case "putTimer":
      state.timers[op.timer.id] = op.timer.dueAtMs
      return "applied"
    case "deleteTimer":
      delete state.timers[op.id]
      return "applied"
    case "putReceipt":
      state.receipts[op.receipt.key] = op.receipt.response
      return "applied"
    case "putSnapshot":
    case "trimStream":
    case "putPin":
    case "dropPin":
      throw new Error(`the model keeps everything, and knows no ${op.op}`)
    case "putWork":
    case "dropWork":
    case "subscription":
    case "observation":
    case "secret":
      throw new Error("the model has no subscriptions and no work")
    case "space":
      throw new Error("the model has no spaces")
    default:
      throw new Error(`the model does not know ${JSON.stringify(op satisfies never)}`)
  }
}

function applyCreate(state: ModelState, path: string): ModelResult {
  const there = state.streams[path]
  if (there?.closed === true || there?.deleted === true || there?.fork !== undefined) return "ALREADY_EXISTS"
  state.streams[path] ??= emptyStream()
  return "applied"
}

/** A row may come before its record, if the next that the commit does to the record is a put. */
function putRow(state: ModelState, op: Extract<Op, { readonly op: "putRow" }>, later: readonly Op[]): ModelResult {
  const about = later.find(
    (next) => (next.op === "putEntity" ? next.record.url : next.op === "deleteEntity" && next.url) === op.url,
  )
  const rows = state.entities[op.url]?.rows ?? (about?.op === "putEntity" ? (state.early[op.url] ??= {}) : undefined)
  if (rows === undefined) return "UNKNOWN_ENTITY"
  rows[`${op.collection}/${op.key}`] = op.value
  return "applied"
}

function putEntity(state: ModelState, record: Omit<EntityRecord, "version">): void {
  const old = state.entities[record.url]
  const seq = old?.record.epoch === record.epoch ? old.seq : 0
  const rows = old?.rows ?? state.early[record.url] ?? {}
  delete state.early[record.url]
  state.entities[record.url] = { record: { ...record, version: (old?.record.version ?? 0) + 1 }, seq, rows }
}

function applyAppend(stream: ModelStream | undefined, op: AppendOp): ModelResult {
  if (stream === undefined) return "UNKNOWN_STREAM"
  if (stream.deleted) return "GONE"
  const known = op.producer === undefined ? undefined : stream.producers[op.producer.id]
  const repeated = known !== undefined && op.producer?.epoch === known.epoch && op.producer.seq <= known.seq
  if (repeated) return "repeated"
  if (stream.closed) return op.producer === undefined && op.data.length === 0 ? "applied" : "STREAM_CLOSED"
  if (op.producer !== undefined) {
    const { epoch, seq } = op.producer
    if (known !== undefined && epoch < known.epoch) return "STALE_PRODUCER"
    if (known !== undefined && epoch > known.epoch && seq !== 0) return "BAD_REQUEST"
    const expected = known === undefined || epoch > known.epoch ? 0 : known.seq + 1
    if (seq !== expected) return "SEQUENCE_GAP"
    stream.producers[op.producer.id] = { epoch, seq }
  }
  if (op.data.length > 0) stream.messages.push(Buffer.from(op.data).toString())
  stream.closed = op.close === true
  return "applied"
}
