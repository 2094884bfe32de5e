import {
  MESSAGE_ATTACHMENTS_MAX,
  RouseError,
  entityUrl,
  isAttachmentId,
  isEntityId,
  isEntityType,
  parseEntityUrl,
} from "@rouse/protocol"
import type {
  AttachmentInfo,
  EntityUrl,
  ForkRequest,
  Json,
  JsonObject,
  ObserveOptions,
  ObserveSource,
  Offset,
  OutgoingMessage,
  PgTable,
  ScheduleRule,
  SpawnRequest,
} from "@rouse/protocol"
import { checkObservation, checkObservationName, observationName, topicsOf } from "@rouse/protocol/observe"
import { change } from "./batch.ts"
import type { Batch } from "./batch.ts"
import type { ForkOptions, ObservationOptions, ScheduleOptions, SendOptions, SpawnOptions } from "./context.ts"
import { forkMark } from "./core/fork-mark.ts"
import { toJson } from "./core/validate.ts"
import { Scope } from "./scope.ts"
import type { Scopes } from "./scope.ts"
import { checkRule, checkScheduleName } from "./core/schedule-rule.ts"
import type { Session } from "./session.ts"

/**
 * The handler's sends, spawns and tags. Each send and spawn has a number within the wake, and so the same id in every attempt;
 * one that an earlier attempt made durable is remembered as a memo and not made again.
 */
export class Outbox {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #handler = new Scope("")

  constructor(session: Session, scopes: Scopes) {
    this.#session = session
    this.#scopes = scopes
  }

  send(to: EntityUrl, content: Json, options: SendOptions = {}): string {
    checkUrl(to)
    const dueAtMs = dueTime(options, this.#session.host.clock())
    return this.#once("send", (id) => ({
      id,
      batch: { sends: [outgoing(id, to, toJson(content, "content"), options, dueAtMs)] },
    }))
  }

  spawn(type: string, id?: string, args: JsonObject = {}, options: SpawnOptions = {}): EntityUrl {
    checkSpawn(type, id)
    return this.#once("spawn", (unique) => {
      const request = spawnRequest(unique, type, id ?? idFrom(unique), args, options)
      const url = entityUrl(type, request.id)
      if (this.#session.rows.get("child", url) === undefined) {
        const child = { url, type, at: this.#session.now(), wake: request.wake, status: "running" }
        this.#session.rows.put("child", url, child)
      }
      return { id: url, batch: { spawns: [request] } }
    })
  }

  fork(at?: Offset, options: ForkOptions = {}): EntityUrl {
    const { type } = this.#session.entity
    checkSpawn(type, options.id)
    return this.#once("fork", (unique) => {
      const request = forkRequest(options.id ?? idFrom(unique), at, options)
      const url = entityUrl(type, request.id)
      const child = { url, type, at: this.#session.now(), wake: request.wake, status: "running" }
      this.#session.rows.put("child", url, child)
      return { id: url, batch: { forks: [request] } }
    })
  }

  /** The rule is checked when it is made, not when a further attempt finds it made. */
  schedule(name: string, rule: ScheduleRule, message: Json, { catchUp }: ScheduleOptions = {}): void {
    checkScheduleName(name)
    this.#once("schedule", () => {
      checkRule(rule, this.#session.host.clock())
      const content = toJson(message, "message")
      return { id: name, batch: { schedules: [{ name, rule, content, ...(catchUp ? { catchUp } : {}) }] } }
    })
  }

  unschedule(name: string): void {
    checkScheduleName(name)
    this.#once("schedule", () => ({ id: name, batch: { schedules: [{ name, remove: true }] } }))
  }

  observe(source: ObserveSource | PgTable, given: ObservationOptions = {}): string {
    const [named, { name, ...options }] = withTable(source, given)
    const asked = observation(named, name, options)
    checkObservation(asked, this.#session.entity.url)
    return this.#once("observe", () => ({ id: asked.name, batch: { observes: [asked] } }))
  }

  unobserve(name: string): void {
    checkObservationName(name)
    this.#once("observe", () => ({ id: name, batch: { observes: [{ name, remove: true }] } }))
  }

  tag(name: string, value: string | null): void {
    if (typeof name !== "string" || name === "") throw new RouseError("INVALID_ARGS", "tag: name must be a text")
    if (value !== null && typeof value !== "string")
      throw new RouseError("INVALID_ARGS", `tag ${name}: value must be a text or null`)
    this.#batch().tags[name] = value
  }

  /** The changes of a tool or step join the next commit. */
  release(scope: Scope): void {
    scope.closed = true
    this.#session.writer.add(scope.held)
  }

  #batch(): Batch {
    return this.#scopes.current?.held ?? this.#session.writer.batch
  }

  #once(
    kind: "send" | "spawn" | "schedule" | "observe" | "fork",
    make: (id: string) => {
      readonly id: string
      readonly batch: Partial<Pick<Batch, "sends" | "spawns" | "schedules" | "observes" | "forks">>
    },
  ): string {
    const scope = this.#scopes.current ?? this.#handler
    const ordinal = scope.ordinal
    scope.ordinal += 1
    const wake = this.#session.began
    const prefix = this.#prefix(wake)
    const id = scope === this.#handler ? `${prefix}.${ordinal}` : `${prefix}.${scope.id}.${ordinal}`
    const key = `${wake}:${kind}:${ordinal}`
    const memo = scope === this.#handler ? this.#session.rows.get("memo", key) : undefined
    if (typeof memo?.value === "string") return memo.value
    const made = make(id)
    const batch = this.#batch()
    batch.sends.push(...(made.batch.sends ?? []))
    batch.spawns.push(...(made.batch.spawns ?? []))
    batch.schedules.push(...(made.batch.schedules ?? []))
    batch.observes.push(...(made.batch.observes ?? []))
    batch.forks.push(...(made.batch.forks ?? []))
    if (scope === this.#handler) {
      const value = { wake, value: made.id }
      this.#session.rows.put("memo", key, value)
      batch.memos.push(change("memo", key, "insert", value))
    }
    return made.id
  }

  /** Of the ids of a wake. A fork may go on with its original's. */
  #prefix(wake: string): string {
    const { url, createdAt } = this.#session.entity
    const isFork = this.#session.rows.get("entity", url)?.forkedFrom !== undefined
    return isFork ? `${wake}.${forkMark(url, createdAt)}` : wake
  }
}

/** A table is its stream, with the conditions that came with it. */
function withTable(
  source: ObserveSource | PgTable,
  options: ObservationOptions,
): readonly [ObserveSource, ObservationOptions] {
  if (typeof source !== "object" || source === null || !("pgTable" in source)) return [source, options]
  const { pgTable, on, where } = source
  const both = where && options.where ? { and: [where, options.where] } : (options.where ?? where)
  return [pgTable, { on, ...options, ...(both ? { where: both } : {}) }]
}

/** An observation as it is asked for, under the name of its source when it has none of its own. */
export function observation(source: ObserveSource, name: string | undefined, options: ObserveOptions): Observation {
  const { on, ...rest } = toJson(options, "options") as ObserveOptions
  const topics = topicsOf(on)
  return {
    name: name ?? observationName(source),
    source: toJson(source, "source") as ObserveSource,
    ...(topics ? { on: topics } : {}),
    ...rest,
  }
}

export type Observation = ObserveOptions & { readonly name: string; readonly source: ObserveSource }

/** A message on its way. */
export function outgoing(
  id: string,
  to: EntityUrl,
  content: Json,
  options: SendOptions,
  dueAtMs: number | undefined,
): OutgoingMessage {
  const due = dueAtMs === undefined ? {} : { dueAtMs }
  return { id, to, content, mode: options.mode ?? "steer", ...filesOf(options), ...due }
}

/** @throws {RouseError} `INVALID_ARGS` for what is no attachment, or too many. */
function filesOf({ files = [] }: Pick<SendOptions, "files">): { readonly attachments?: readonly string[] } {
  if (!Array.isArray(files))
    throw new RouseError("INVALID_ARGS", "files: must be a list of attachments, or of their ids")
  if (files.length > MESSAGE_ATTACHMENTS_MAX)
    throw new RouseError("INVALID_ARGS", `files: a message brings at most ${MESSAGE_ATTACHMENTS_MAX}`)
  const ids = files.map((file: AttachmentInfo | string | null) => (typeof file === "string" ? file : file?.id))
  for (const [i, id] of ids.entries()) {
    if (typeof id !== "string" || !isAttachmentId(id))
      throw new RouseError("INVALID_ARGS", `files[${i}]: is not an attachment, or the id of one`)
  }
  return ids.length === 0 ? {} : { attachments: ids as readonly string[] }
}

/** A child to be made. `unique` names its first message. */
export function spawnRequest(
  unique: string,
  type: string,
  id: string,
  args: JsonObject,
  options: SpawnOptions,
): SpawnRequest {
  const files = filesOf(options)
  if (files.attachments && options.message === undefined)
    throw new RouseError("INVALID_ARGS", "files: come with a message; give one")
  const message =
    options.message === undefined
      ? {}
      : { message: { id: unique, content: toJson(options.message, "message"), ...files } }
  return {
    type,
    id,
    args: toJson(args, "args") as SpawnRequest["args"],
    wake: options.wake ?? "finished",
    ...(options.tags ? { tags: options.tags } : {}),
    ...(options.budget ? { budget: options.budget } : {}),
    ...message,
  }
}

function forkRequest(id: string, at: Offset | undefined, options: ForkOptions): ForkRequest {
  const { message, wake = "finished", tags, budget } = options
  return {
    id,
    wake,
    ...(at === undefined ? {} : { at }),
    ...(message === undefined ? {} : { message: toJson(message, "message") }),
    ...(tags ? { tags } : {}),
    ...(budget ? { budget } : {}),
  }
}

/** @throws {RouseError} `INVALID_ARGS` when `url` is not an entity's address. */
export function checkUrl(url: string): void {
  if (typeof url !== "string" || parseEntityUrl(url) === undefined) {
    throw new RouseError(
      "INVALID_ARGS",
      `to: ${JSON.stringify(url)} is not an entity's address; it looks like /type/id`,
    )
  }
}

/** @throws {RouseError} `INVALID_ARGS` when an entity cannot be named so. */
export function checkSpawn(type: string, id: string | undefined): void {
  if (!isEntityType(type)) throw new RouseError("INVALID_ARGS", `type: ${JSON.stringify(type)} is not a type's name`)
  if (id !== undefined && !isEntityId(id)) {
    throw new RouseError(
      "INVALID_ARGS",
      `id: ${JSON.stringify(id)} is not an id: letters, digits and ._~- only, at most 128`,
    )
  }
}

const ID_CHARS_MAX = 128

/** An entity id made from any text: what may not stand in one becomes `-`, and the end, which tells ids apart, is kept. */
export function idFrom(text: string): string {
  const id = text.replace(/[^A-Za-z0-9._~-]/g, "-").slice(-ID_CHARS_MAX)
  return isEntityId(id) ? id : `x${id.slice(-(ID_CHARS_MAX - 1))}`
}

function dueTime({ after, at }: SendOptions, nowMs: number): number | undefined {
  if (after !== undefined && at !== undefined) throw new RouseError("INVALID_ARGS", "give after or at, not both")
  if (after !== undefined) {
    if (!(Number.isFinite(after) && after >= 0))
      throw new RouseError("INVALID_ARGS", "after: must be milliseconds from now, 0 or more")
    return nowMs + after
  }
  if (at === undefined) return undefined
  const dueAtMs = new Date(at).getTime()
  if (Number.isNaN(dueAtMs)) throw new RouseError("INVALID_ARGS", `at: ${JSON.stringify(at)} is not a time`)
  return dueAtMs
}
