import type {
  BuiltInCollection,
  BuiltInRows,
  ChangeEvent,
  EntityUrl,
  Json,
  MessageRow,
  Offset,
  Operation,
  Reason,
  Row,
} from "@rouse/protocol"
import { entityStreamPath, LOG_ONLY_COLLECTIONS } from "@rouse/protocol"
import { type Commit, type EntityRecord, type Guard, type Op } from "@rouse/store"
import { type Control, isoTime, withControl } from "./control.ts"
import type { Settlement } from "../settlements.ts"
import { messageKey } from "./id.ts"
import { approvalOp } from "./approval-list.ts"
import type { WakeEvent } from "./wake-event.ts"
import { stepWake } from "./wake-state.ts"

type DraftRecord = Omit<EntityRecord, "version">

/**
 * One commit of the control plane, as it is being planned: what happens to each entity in it.
 *
 * Invariants:
 * 1. Every entity in it is guarded by the version that was read, so the plan holds when it is applied or is made again.
 * 2. A row changes only together with the event on the entity's stream that says so.
 * 3. An entity's events are one append: a reader sees all of them or none.
 */
export class CommitDraft {
  readonly nowMs: number
  readonly #entities = new Map<EntityUrl, EntityDraft>()
  readonly #extra: Op[] = []
  readonly #guards: Guard[] = []

  constructor(nowMs: number) {
    this.nowMs = nowMs
  }

  /** Begins to change an entity as it was read. */
  open(record: EntityRecord): EntityDraft {
    const known = this.#entities.get(record.url)
    if (known) return known
    const { version, ...rest } = record
    return this.#add(new EntityDraft(rest, version, this.nowMs))
  }

  /** Begins a new entity. */
  create(record: DraftRecord): EntityDraft {
    return this.#add(new EntityDraft(record, 0, this.nowMs))
  }

  get(url: EntityUrl): EntityDraft | undefined {
    return this.#entities.get(url)
  }

  get entities(): Iterable<EntityDraft> {
    return this.#entities.values()
  }

  /** Adds operations that belong to no entity's log: timers, receipts. */
  also(op: Op, guard?: Guard): void {
    this.#extra.push(op)
    if (guard) this.#guards.push(guard)
  }

  guard(guard: Guard): void {
    this.#guards.push(guard)
  }

  /** The commit. */
  build(): Commit {
    const guards = [...this.#guards]
    const ops: Op[] = []
    for (const entity of this.#entities.values()) entity.build(guards, ops)
    return { guards, ops: [...ops, ...this.#extra] }
  }

  #add(entity: EntityDraft): EntityDraft {
    this.#entities.set(entity.url, entity)
    return entity
  }
}

/** What kind of reason to wake a message is. */
export function reasonKind(message: Pick<MessageRow, "kind" | "schedule" | "from">): Reason["kind"] {
  if (message.schedule) return "schedule"
  return message.from.kind === "webhook" ? "webhook" : message.kind
}

const encoder = new TextEncoder()

/** One change as the log has it: see `frameJson`. */
function frameChange(type: string, key: string, json: string | undefined, headers: ChangeEvent["headers"]): string {
  const value = json === undefined ? "" : `,"value":${json}`
  return `{"type":${JSON.stringify(type)},"key":${JSON.stringify(key)}${value},"headers":${JSON.stringify(headers)}},`
}

/** What happens to one entity in a commit. */
export class EntityDraft {
  readonly url: EntityUrl
  readonly #version: number
  readonly #nowMs: number
  /** The changes in wire text, as `frameJson` would write them. */
  #log = ""
  readonly #rows = new Map<string, Op>()
  /** Attachments, timers and work: what belongs to the entity beside its rows. */
  readonly #beside: Op[] = []
  readonly #reasons: Reason[] = []
  readonly #settled: Settlement[] = []
  readonly #wasQueued: boolean
  #fork: { readonly source: string; readonly offset: Offset } | undefined
  #record: DraftRecord

  constructor(record: DraftRecord, version: number, nowMs: number) {
    this.url = record.url
    this.#record = record
    this.#version = version
    this.#nowMs = nowMs
    this.#wasQueued = record.status === "queued"
  }

  /** How many more entities are queued by this commit: 1, 0 or -1. */
  get queuedMore(): number {
    return Number(this.#record.status === "queued") - Number(this.#wasQueued)
  }

  get record(): DraftRecord {
    return this.#record
  }

  /** When this commit is made, milliseconds since the Unix epoch. */
  get nowMs(): number {
    return this.#nowMs
  }

  get version(): number {
    return this.#version
  }

  /** The messages accepted in this commit, as reasons to wake. */
  get reasons(): readonly Reason[] {
    return this.#reasons
  }

  /**
   * Puts a message into the inbox: the row, and what it does to the wake state.
   *
   * @returns The message's key.
   * @throws {RouseError} `STOPPED`.
   */
  accept(
    message: Pick<MessageRow, "kind" | "from" | "content" | "attachments" | "mode" | "cause" | "schedule">,
    wakeId: string,
  ): string {
    this.wake({ kind: "accept", count: 1, wakeId, nowMs: this.#nowMs })
    const accepted = this.control.accepted + 1
    this.setControl({ accepted })
    const id = messageKey(accepted)
    this.insert("message", id, { id, ...message, at: isoTime(this.#nowMs), status: "accepted" })
    this.#reasons.push({ kind: reasonKind(message), message: id })
    return id
  }

  /** Notes a message that came too late for anybody to take it: it is settled as it arrives. */
  refuse(message: Pick<MessageRow, "kind" | "from" | "content" | "attachments" | "mode">, reason: string): void {
    const accepted = this.control.accepted + 1
    this.setControl({ accepted })
    const id = messageKey(accepted)
    this.insert("message", id, { id, ...message, at: isoTime(this.#nowMs), status: "cancelled", reason })
  }

  /** The messages that this commit brings to their end. */
  get settled(): readonly Settlement[] {
    return this.#settled
  }

  /** Brings a message to its end: its row, and who waits for it. */
  settle(message: MessageRow, settlement: Settlement): void {
    const { status, run, reason } = settlement
    const facts = { ...(run === undefined ? {} : { run }), ...(reason === undefined ? {} : { reason }) }
    if (status === "dead") this.setControl({ dead: (this.control.dead ?? 0) + 1 })
    this.update("message", settlement.message, { ...message, status, ...facts })
    this.#settled.push(settlement)
  }

  get control(): Control {
    return this.#record.control as unknown as Control
  }

  /** Applies an event to the wake state. Throws as `stepWake` does. */
  wake(event: WakeEvent): void {
    const wake = stepWake(this.control.wake, event)
    if (wake !== this.control.wake) this.setControl({ wake })
  }

  setControl(change: Partial<Control>): void {
    this.#record = withControl(this.#record, { ...this.control, ...change })
  }

  setTags(tags: Readonly<Record<string, string>>): void {
    this.#record = { ...this.#record, tags }
  }

  insert<C extends BuiltInCollection>(collection: C, key: string, value: BuiltInRows[C]): void {
    this.#change("insert", collection, key, value as unknown as Json)
  }

  update<C extends BuiltInCollection>(collection: C, key: string, value: BuiltInRows[C]): void {
    this.#change("update", collection, key, value as unknown as Json)
  }

  delete(collection: BuiltInCollection, key: string): void {
    this.#change("delete", collection, key)
  }

  /** Adds a change as a handler made it. Its value becomes text once, for the log and the row. */
  change(event: ChangeEvent): void {
    const { type, key, value = null, headers } = event
    const json = event.value === undefined ? undefined : JSON.stringify(value)
    this.#log += frameChange(type, key, json, headers)
    if (LOG_ONLY_COLLECTIONS.has(type)) return
    const row = { url: this.url, collection: type, key }
    const deleted = headers.operation === "delete"
    const op: Op = deleted
      ? { op: "deleteRow", ...row }
      : { op: "putRow", ...row, value, ...(json === undefined ? {} : { json }) }
    this.#rows.set(`${type}\n${key}`, op)
    // Whatever changes an approval changes the list of those that wait.
    if (type === "approval") this.also(approvalOp(this.url, key, deleted ? undefined : value))
  }

  /** Adds what belongs to the entity and is no row of it: a timer, work. */
  also(op: Op): void {
    this.#beside.push(op)
  }

  /** Of a new entity: its log begins with another's, up to there. */
  forkLog(source: string, offset: Offset): void {
    this.#fork = { source, offset }
  }

  /** A row that the log has from the one it was forked of. */
  inherit({ collection, key, value }: Row): void {
    this.#rows.set(`${collection}\n${key}`, { op: "putRow", url: this.url, collection, key, value })
  }

  /** Takes a row out of the live ones. The log says nothing of it: it keeps the row. */
  forget(collection: string, key: string): void {
    this.#rows.set(`${collection}\n${key}`, { op: "deleteRow", url: this.url, collection, key })
  }

  /** A row's value as this commit makes it; undefined when it makes none. */
  planned(collection: BuiltInCollection, key: string): Json | undefined {
    const op = this.#rows.get(`${collection}\n${key}`)
    return op?.op === "putRow" ? op.value : undefined
  }

  /** What the commit does to rows. */
  get rowOps(): readonly Op[] {
    return [...this.#rows.values()]
  }

  /** The record as it is once the commit is on disk. */
  committed(): EntityRecord {
    return { ...this.#record, activeAtMs: this.#nowMs, version: this.#version + 1 }
  }

  build(guards: Guard[], ops: Op[]): void {
    const path = entityStreamPath(this.url)
    guards.push({ kind: "version", url: this.url, version: this.#version })
    ops.push({ op: "putEntity", record: { ...this.#record, activeAtMs: this.#nowMs } })
    if (this.#fork) {
      ops.push({ op: "forkStream", path, ...this.#fork, nowMs: this.#nowMs, data: encoder.encode(this.#log) })
    } else if (this.#version === 0) {
      ops.push({
        op: "createStream",
        path,
        contentType: "application/json",
        nowMs: this.#nowMs,
        data: encoder.encode(this.#log),
      })
    } else if (this.#log !== "") {
      ops.push({ op: "append", path, data: encoder.encode(this.#log), nowMs: this.#nowMs })
    }
    ops.push(...this.#rows.values(), ...this.#beside)
  }

  #change(operation: Operation, type: string, key: string, value?: Json): void {
    this.change({ type, key, ...(value === undefined ? {} : { value }), headers: { operation } })
  }
}
