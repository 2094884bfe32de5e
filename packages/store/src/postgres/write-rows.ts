import { activeSecondOf } from "../core/cursor.ts"
import { homeOfSecret, homeOfStream, homeOfSubscription, numberOf } from "../core/home.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { SubscriptionWrite } from "../core/subscription-state.ts"
import type { EntityState } from "../core/view.ts"
import type { ApplyList } from "./apply-lists.ts"
import type { EntityFact, StreamFact } from "./facts.ts"

/** What hardly ever changes of an entity's record. */
const KEPT = ["type", "id", "parent", "createdAtMs", "tags", "args"] as const

export type WriteRow = Readonly<Record<string, unknown>>

/** What something was before a group, if anything, and is after it. */
export interface Change<T> {
  readonly before: T | undefined
  readonly after: T | undefined
}

/** Where the things that writes name by number are. */
export interface Places {
  treeOf(home: string): number
  streamTree(id: number): number | undefined
  entityTree(id: number): number | undefined
  subscriptionTree(serial: number): number | undefined
}

export function streamRows(
  path: string,
  before: StreamFact | undefined,
  after: StreamFact | undefined,
  places: Places,
): [ApplyList, WriteRow][] {
  const rows: [ApplyList, WriteRow][] = []
  const old = before?.state
  if (after === undefined) return rows
  const { state, tree, rev } = after
  if (old !== undefined && old.id !== state?.id) rows.push(["w_stream_drop", { tree: before?.tree, path, id: old.id }])
  if (state === undefined) return rows
  if (old?.id !== state.id) rows.push(["w_stream_new", newStreamRow(state, tree, rev, places)])
  else if (before?.rev !== rev) rows.push(["w_stream", { tree, path, id: state.id, rev, ...changing(state) }])
  return rows
}

function changing(state: StreamState): WriteRow {
  return {
    closed: state.closed,
    closed_by: state.closedBy === null ? null : JSON.stringify(state.closedBy),
    stream_seq: state.streamSeq,
    dies_at: state.diesAtMs,
    horizon: state.horizon,
    forks: state.forks,
    deleted: state.deleted,
  }
}

function newStreamRow(state: StreamState, tree: number, rev: number, places: Places): WriteRow {
  const { fork } = state
  return {
    tree,
    path: state.path,
    id: state.id,
    lock: numberOf(homeOfStream(state.path)),
    rev,
    content_type: state.contentType,
    created_at: state.createdAtMs,
    ttl_seconds: state.ttlSeconds,
    expires_at: state.expiresAtMs,
    source: fork?.source ?? null,
    source_tree: fork === null ? null : places.treeOf(homeOfStream(fork.source)),
    forked_from: fork?.sourceId ?? null,
    fork_base: fork?.base ?? null,
    fork_sub: fork?.sub ?? null,
    fork_at: fork?.at ?? null,
    ...changing(state),
  }
}

export function entityRows(
  url: string,
  before: EntityFact | undefined,
  after: EntityFact | undefined,
  control: string | undefined,
): [ApplyList, WriteRow][] {
  const rows: [ApplyList, WriteRow][] = []
  const old = before?.state
  if (after === undefined) return rows
  const { state, tree } = after
  if (old !== undefined && old.id !== state?.id) rows.push(["w_entity_drop", { tree: before?.tree, url, id: old.id }])
  if (state === undefined) return rows
  const { id, version, epoch, seq, record } = state
  if (control === undefined) {
    if (old?.id === id && old.seq !== seq) rows.push(["w_seq", { tree, url, id, seq }])
    return rows
  }
  const moving = {
    tree,
    url,
    id,
    status: record.status,
    version,
    epoch,
    seq,
    active_at: record.activeAtMs,
    active_second: activeSecondOf(record.activeAtMs),
    due_at: record.dueAtMs,
    dead: hasDead(control),
    control,
  }
  if (old?.id === id && isSameButMoving(old.record, record)) rows.push(["w_entity_on", moving])
  else {
    const { type, id: name, parent, createdAtMs, tags, args } = record
    rows.push(["w_entity", { ...moving, type, name, parent, created_at: createdAtMs, tags, args }])
  }
  const tagsBefore = old?.id === id ? old.record.tags : "{}"
  if (tagsBefore !== record.tags) rows.push(["w_tag", { tree, entity: id, tags: record.tags }])
  return rows
}

/** Whether a record differs at most in what moves with every wake: the rest need not be sent. */
function isSameButMoving(before: EntityState["record"], after: EntityState["record"]): boolean {
  return KEPT.every((field) => before[field] === after[field])
}

/** Whether `control.dead`, a count, is over 0. Few have one at all. */
export function hasDead(control: string): boolean {
  if (!control.includes('"dead":')) return false
  const { dead } = JSON.parse(control) as { readonly dead?: unknown }
  return typeof dead === "number" && dead > 0
}

export function subscriptionRow(write: SubscriptionWrite, places: Places): WriteRow {
  switch (write.kind) {
    case "insert":
    case "update": {
      const { state, config, control } = write
      return {
        kind: write.kind,
        ...ofSubscription(state),
        id: state.id,
        version: state.version,
        pattern: state.pattern,
        wake_stream: state.wakeStream,
        idle: state.idle,
        config,
        state: control,
      }
    }
    case "count":
      return { kind: "count", ...ofSubscription(write.state) }
    case "drop":
      return { kind: "drop", tree: places.subscriptionTree(write.serial), serial: write.serial }
    case "putLink": {
      const { serial, id, path, acked, pending, explicit } = write.link
      return { kind: "putLink", tree: numberOf(homeOfSubscription(id)), serial, path, acked, behind: pending, explicit }
    }
    case "dropLink":
      return { kind: "dropLink", tree: places.subscriptionTree(write.serial), serial: write.serial, path: write.path }
    case "putSecret": {
      const { name, value, createdAtMs } = write
      return { kind: "putSecret", tree: numberOf(homeOfSecret(name)), name, value, created_at: createdAtMs }
    }
    case "dropSecret":
      return { kind: "dropSecret", tree: numberOf(homeOfSecret(write.name)), name: write.name }
  }
}

function ofSubscription(state: Extract<SubscriptionWrite, { readonly kind: "count" }>["state"]): WriteRow {
  return {
    tree: numberOf(homeOfSubscription(state.id)),
    serial: state.serial,
    due_at: state.dueAtMs,
    pending: state.pending,
    links: state.links,
    named: state.named,
  }
}
