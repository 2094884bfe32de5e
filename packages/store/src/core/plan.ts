import { RouseError } from "@rouse/protocol"
import type { StreamOutcome } from "../commit.ts"
import type { AppendOp, CreateStreamOp, ForkStreamOp } from "../stream-ops.ts"
import { decideAppend } from "./append.ts"
import { decideCreate } from "./create.ts"
import type { EncodedCommit, EncodedOp, EncodedReceipt, EncodedRecord, EncodedRow, EncodedTimer } from "./encoded.ts"
import { decideFork } from "./fork.ts"
import { decideGuards } from "./guard.ts"
import { withPlanned } from "./planned-batches.ts"
import type { EntityState, StoreView } from "./view.ts"
import { absence, isAlive, newStream, outcomeOf, renewed } from "./stream-state.ts"
import type { ProducerClaim, StreamState } from "./stream-state.ts"
import { SubscriptionPlan } from "./subscription-plan.ts"
import type { SubscriptionWrite } from "./subscription-state.ts"
import { Overlay } from "./overlay.ts"
import { planPin, planSnapshot, planTrim } from "./retention.ts"
import type { RetentionWrite } from "./retention.ts"

/** One change of a table. A plan's are done in order, all or none. */
export type Write =
  | { readonly kind: "insertStream"; readonly state: StreamState }
  | { readonly kind: "updateStream"; readonly state: StreamState }
  | { readonly kind: "dropStream"; readonly id: number }
  | { readonly kind: "putChunk"; readonly stream: number; readonly tail: number; readonly data: Uint8Array }
  | { readonly kind: "putProducer"; readonly stream: number; readonly claim: ProducerClaim }
  | {
      readonly kind: "putEntity"
      readonly old: EntityState | undefined
      readonly next: EntityState
      readonly control: string
    }
  | { readonly kind: "putLeaseSeq"; readonly entity: number; readonly seq: number }
  | { readonly kind: "dropEntity"; readonly url: string; readonly state: EntityState | undefined }
  | { readonly kind: "putRow"; readonly entity: number; readonly row: EncodedRow }
  | { readonly kind: "dropRow"; readonly entity: number; readonly collection: string; readonly key: string }
  | { readonly kind: "putTimer"; readonly timer: EncodedTimer }
  | { readonly kind: "dropTimer"; readonly id: string }
  | { readonly kind: "putReceipt"; readonly receipt: EncodedReceipt }
  | RetentionWrite
  | { readonly kind: "subscription"; readonly write: SubscriptionWrite }

export interface Plan {
  /** False: the commit had been applied before, and there are no writes. */
  readonly applied: boolean
  readonly writes: readonly Write[]
  readonly streams: Record<string, StreamOutcome>
  /** The version that each `putEntity` got, in order. */
  readonly versions: readonly number[]
  /** The earliest time at which a subscription that the commit touched is due. */
  readonly subscriptionDueAtMs: number | null
  /** The states that the commit leaves. */
  readonly view: Overlay
}

/**
 * Decides what a commit does, before anything is written: the writes, or a refusal that changes nothing.
 *
 * Each operation sees the effects of those before it. Pure but for `view`, which only looks things up and hands out numbers.
 *
 * @throws {RouseError} as `Store.commit`; `UNKNOWN_ENTITY` for a row of an entity that neither exists nor is put by this commit.
 */
export function planCommit(commit: EncodedCommit, view: StoreView): Plan {
  const planner = new Planner(commit, view)
  return planner.plan()
}

class Planner {
  readonly #commit: EncodedCommit
  readonly #view: Overlay
  readonly #writes: Write[] = []
  readonly #streams: Record<string, StreamOutcome> = {}
  readonly #versions: number[] = []
  #subscriptions: SubscriptionPlan | undefined
  /** Operations begun. */
  #at = 0

  constructor(commit: EncodedCommit, view: StoreView) {
    this.#commit = commit
    this.#view = new Overlay(view)
  }

  plan(): Plan {
    const guards = decideGuards(this.#commit.guards, this.#view)
    if (guards.kind === "repeated") return this.#repeated()
    for (const lease of guards.leases) {
      this.#view.setEntity(lease.url, lease)
      if (!this.#putsLater(lease.url)) this.#writes.push({ kind: "putLeaseSeq", entity: lease.id, seq: lease.seq })
    }
    for (const op of this.#commit.ops) {
      this.#at += 1
      if (this.#do(op) === "duplicate") return this.#repeated()
    }
    return {
      applied: true,
      writes: this.#writes,
      streams: this.#streams,
      versions: this.#versions,
      subscriptionDueAtMs: this.#subscriptions?.dueAtMs ?? null,
      view: this.#view,
    }
  }

  /** The answer to a commit that was applied before: its streams as they are. */
  #repeated(): Plan {
    const before = this.#view.base
    const streams: Record<string, StreamOutcome> = {}
    for (const op of this.#commit.ops) {
      if (op.op !== "append" && op.op !== "createStream" && op.op !== "forkStream") continue
      const state = before.stream(op.path)
      if (state === undefined) continue
      const producer =
        op.op === "append" && op.producer !== undefined ? before.producer(state.id, op.producer.id) : undefined
      streams[op.path] = { ...outcomeOf(state), ...(producer === undefined ? {} : { producer }) }
    }
    return { applied: false, writes: [], streams, versions: [], subscriptionDueAtMs: null, view: this.#view }
  }

  #do(op: EncodedOp): "done" | "duplicate" {
    switch (op.op) {
      case "append":
        return this.#append(op)
      case "createStream":
        return this.#createStream(op)
      case "forkStream":
        return this.#forkStream(op)
      case "deleteStream":
        return this.#deleteStream(op.path)
      case "touchStream":
        return this.#touchStream(op.path, op.nowMs)
      case "putEntity":
        return this.#putEntity(op.record)
      case "deleteEntity":
        return this.#deleteEntity(op.url)
      case "putRow":
        return this.#write({ kind: "putRow", entity: this.#entityId(op.url), row: op })
      case "deleteRow":
        return this.#deleteRow(op)
      case "putTimer":
        return this.#write({ kind: "putTimer", timer: op.timer })
      case "deleteTimer":
        return this.#write({ kind: "dropTimer", id: op.id })
      case "putReceipt":
        return this.#write({ kind: "putReceipt", receipt: op.receipt })
      case "putSnapshot":
        return this.#write(planSnapshot(this.#view, op))
      case "trimStream":
        return this.#write(planTrim(this.#view, op))
      case "putPin":
      case "dropPin":
        return this.#write(planPin(this.#view, op))
      case "subscription":
        this.#subscriptionPlan().do(op.change)
        return "done"
      case "secret":
        return this.#writeSubscription(
          op.secret === null
            ? { kind: "dropSecret", name: op.name }
            : { kind: "putSecret", name: op.name, value: op.secret, createdAtMs: op.nowMs },
        )
    }
  }

  #subscriptionPlan(): SubscriptionPlan {
    return (this.#subscriptions ??= new SubscriptionPlan(
      this.#view.subscriptions,
      (path) => this.#view.stream(path),
      (write) => this.#writeSubscription(write),
    ))
  }

  #writeSubscription(write: SubscriptionWrite): "done" {
    return this.#write({ kind: "subscription", write })
  }

  /** Whether anybody wants to know of a stream. What this commit did to subscriptions is not known without looking closer. */
  #hasSubscribers(path: string): boolean {
    if (this.#subscriptions !== undefined) return true
    const { subscriptions } = this.#view.base
    return subscriptions.any && subscriptions.subscribers(path).length > 0
  }

  #grown(before: number, next: StreamState, nowMs: number): void {
    if (next.tail > before && this.#hasSubscribers(next.path)) {
      this.#subscriptionPlan().grown(next.path, before, nowMs)
    }
  }

  #gone(path: string): void {
    if (this.#hasSubscribers(path)) this.#subscriptionPlan().gone(path)
  }

  #write(write: Write | undefined): "done" {
    if (write !== undefined) this.#writes.push(write)
    return "done"
  }

  #createStream(op: CreateStreamOp): "done" {
    const existing = this.#view.stream(op.path)
    const decision = decideCreate(existing, op)
    if (decision === "exists" && existing !== undefined) {
      this.#streams[op.path] = { ...outcomeOf(existing), created: false }
      return "done"
    }
    if (existing !== undefined) {
      this.#gone(op.path)
      this.#drop(existing)
    }
    const identity = this.#view.newStream()
    return this.#insertStream(newStream(identity.id, identity.incarnation, op), op.data, op.nowMs)
  }

  #forkStream(op: ForkStreamOp): "done" {
    const decision = decideFork(op, withPlanned(this.#view, this.#writes))
    if (decision.kind === "exists") {
      this.#streams[op.path] = { ...outcomeOf(decision.state), created: false }
      return "done"
    }
    const expired = this.#view.stream(op.path)
    if (expired !== undefined) {
      this.#gone(op.path)
      this.#drop(expired)
    }
    const identity = this.#view.newStream()
    const fork = decision.build(identity.id, identity.incarnation)
    const source = this.#countForks(op.source, 1)
    this.#view.setPin(source.id, source.horizon)
    return this.#insertStream(fork, op.data, op.nowMs)
  }

  #insertStream(state: StreamState, data: Uint8Array | undefined, nowMs: number): "done" {
    this.#view.setStream(state.path, state)
    this.#writes.push({ kind: "insertStream", state })
    this.#putChunk(state, data)
    this.#grown(state.horizon, state, nowMs)
    this.#streams[state.path] = { ...outcomeOf(state), created: true }
    return "done"
  }

  /** Changes how many forks a stream has, and returns what it is then. */
  #countForks(path: string, by: 1 | -1): StreamState {
    const state = this.#view.stream(path)
    if (state === undefined) throw new Error(`the source ${path} of a fork is not there`)
    const next = { ...state, forks: state.forks + by }
    this.#view.setStream(path, next)
    this.#writes.push({ kind: "updateStream", state: next })
    return next
  }

  /** Drops a stream, and those above it that were kept for it alone. There are at most `FORK_DEPTH_MAX` of them. */
  #drop(state: StreamState): void {
    let dropped: StreamState | undefined = state
    while (dropped !== undefined) {
      this.#view.setStream(dropped.path, undefined)
      this.#writes.push({ kind: "dropStream", id: dropped.id })
      const source: StreamState | undefined =
        dropped.fork === null ? undefined : this.#countForks(dropped.fork.source, -1)
      dropped = source?.deleted === true && source.forks === 0 ? source : undefined
    }
  }

  #putChunk(state: StreamState, data: Uint8Array | undefined): void {
    if (data === undefined || data.length === 0) return
    this.#writes.push({ kind: "putChunk", stream: state.id, tail: state.tail, data })
  }

  #append(op: AppendOp): "done" | "duplicate" {
    const state = this.#view.stream(op.path)
    const producer =
      op.producer === undefined || state === undefined ? undefined : this.#view.producer(state.id, op.producer.id)
    const decision = decideAppend(state, producer, op)
    if (decision.kind === "duplicate") return "duplicate"
    this.#appendTo(state, decision.next, op)
    return "done"
  }

  #appendTo(before: StreamState | undefined, next: StreamState, op: AppendOp): void {
    this.#streams[op.path] = { ...this.#streams[op.path], ...outcomeOf(next), ...producerOutcome(op.producer) }
    if (next === before) return
    this.#view.setStream(op.path, next)
    this.#putChunk(next, op.data)
    if (op.silent !== true) this.#grown(before?.tail ?? 0, next, op.nowMs)
    const changed = next.closed || next.streamSeq !== before?.streamSeq || next.diesAtMs !== before?.diesAtMs
    if (changed) this.#writes.push({ kind: "updateStream", state: next })
    if (op.producer === undefined) return
    this.#view.setProducer(next.id, op.producer)
    this.#writes.push({ kind: "putProducer", stream: next.id, claim: op.producer })
  }

  #touchStream(path: string, nowMs: number): "done" {
    const state = this.#view.stream(path)
    if (!isAlive(state, nowMs)) return "done"
    const next = renewed(state, nowMs)
    if (next === state) return "done"
    this.#view.setStream(path, next)
    return this.#write({ kind: "updateStream", state: next })
  }

  #deleteStream(path: string): "done" {
    const state = this.#view.stream(path)
    if (state === undefined || state.deleted) throw absence(path, state)
    this.#gone(path)
    delete this.#streams[path]
    if (state.forks === 0) {
      this.#drop(state)
      return "done"
    }
    const kept = { ...state, deleted: true, diesAtMs: null }
    this.#view.setStream(path, kept)
    return this.#write({ kind: "updateStream", state: kept })
  }

  #putEntity({ control, ...record }: EncodedRecord): "done" {
    const old = this.#view.entity(record.url)
    const next: EntityState = {
      id: old?.id ?? this.#view.entityIdFor(record.url),
      url: record.url,
      version: (old?.version ?? 0) + 1,
      epoch: record.epoch,
      seq: old?.epoch === record.epoch ? old.seq : 0,
      record,
    }
    this.#view.setEntity(record.url, next)
    this.#versions.push(next.version)
    return this.#write({ kind: "putEntity", old, next, control })
  }

  #deleteEntity(url: string): "done" {
    const state = this.#view.entity(url)
    this.#view.setEntity(url, undefined)
    return this.#write({ kind: "dropEntity", url, state })
  }

  #deleteRow(op: { readonly url: string; readonly collection: string; readonly key: string }): "done" {
    const state = this.#view.entity(op.url)
    if (state === undefined && !this.#putsLater(op.url)) return "done"
    return this.#write({ kind: "dropRow", entity: this.#entityId(op.url), collection: op.collection, key: op.key })
  }

  /** Rows may come before the record that they belong to. */
  #entityId(url: string): number {
    const state = this.#view.entity(url)
    if (state !== undefined) return state.id
    if (this.#putsLater(url)) return this.#view.entityIdFor(url)
    throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`, { details: { url } })
  }

  /** Whether the next that this commit does to the record is a put. */
  #putsLater(url: string): boolean {
    for (const op of this.#commit.ops.slice(this.#at)) {
      if (op.op === "putEntity" && op.record.url === url) return true
      if (op.op === "deleteEntity" && op.url === url) return false
    }
    return false
  }
}

function producerOutcome(claim: ProducerClaim | undefined): Pick<StreamOutcome, "producer"> {
  return claim === undefined ? {} : { producer: { epoch: claim.epoch, seq: claim.seq } }
}
