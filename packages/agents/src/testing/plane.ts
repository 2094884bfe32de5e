import { RouseError, START, SUMMARY_KEY, parseEntityUrl, summaryOf } from "@rouse/protocol"
import type {
  AskRequest,
  Budget,
  BudgetDecision,
  BudgetRequest,
  ChildFinished,
  CommitReply,
  EntityUrl,
  FailureInfo,
  ForkRequest,
  HandlerCommit,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  ModelReservation,
  OutgoingMessage,
  Principal,
  RunOutcome,
  SpawnRequest,
  WakeOutcome,
} from "@rouse/protocol"
import { forgetPast } from "../core/compaction.ts"
import { validateArgs } from "../definition.ts"
import type { EntityDefinition } from "../entity.ts"
import { checkLent, keepText, lend } from "./attachments.ts"
import { answerChild, charge, chargeWall, checkChildren, closeBudget, openBudget, planReserve } from "./budgets.ts"
import { answerAsk, answerOf } from "./asks.ts"
import type { Answer } from "./asks.ts"
import { checkEvent } from "./check-event.ts"
import { TestEntity } from "./entity.ts"
import { askPeople, askWorkers, cancelWork } from "./waiting.ts"
import { TestObservations } from "./observations.ts"
import { applyFork, checkFork } from "./forks.ts"
import { TestSpaces } from "./spaces.ts"
import { applySchedules, fireSchedules, nextScheduleMs } from "./schedules.ts"

interface Scheduled {
  readonly dueAtMs: number
  readonly deliver: () => void
}

/**
 * The control plane of the in-memory Rouse: what a server does with a handler's commits, in one process and without a disk. Every
 * commit is checked in full before anything of it is applied.
 */
export class Plane {
  readonly entities: Map<EntityUrl, TestEntity> = new Map()
  readonly definitions: ReadonlyMap<string, EntityDefinition>
  readonly clock: () => number
  readonly observations: TestObservations
  readonly spaces: TestSpaces
  readonly #scheduled: Scheduled[] = []
  #messages = 0

  constructor(definitions: ReadonlyMap<string, EntityDefinition>, clock: () => number) {
    this.definitions = definitions
    this.clock = clock
    this.observations = new TestObservations(this.entities, (to, kind, from, content) =>
      this.deliver(to, content as unknown as Json, { kind, from, mode: "queue" }),
    )
    this.spaces = new TestSpaces(clock)
  }

  entity(url: EntityUrl): TestEntity {
    const entity = this.entities.get(url)
    if (entity === undefined) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`)
    return entity
  }

  definition(type: string): EntityDefinition {
    const definition = this.definitions.get(type)
    if (definition === undefined)
      throw new RouseError("UNKNOWN_TYPE", `there is no entity type ${JSON.stringify(type)}`)
    return definition
  }

  /** @throws {RouseError} `INVALID_ARGS`, `UNKNOWN_TYPE`, `ALREADY_EXISTS` when it exists with other arguments. */
  async checkSpawn(type: string, id: string, args: JsonObject): Promise<void> {
    const definition = this.definition(type)
    if (parseEntityUrl(`/${type}/${id}`) === undefined)
      throw new RouseError("INVALID_ARGS", `id: ${JSON.stringify(id)} is not an id`)
    await validateArgs(definition, args)
    const existing = this.entities.get(`/${type}/${id}`)
    if (existing && JSON.stringify(existing.info.args) !== JSON.stringify(args)) {
      throw new RouseError("ALREADY_EXISTS", `/${type}/${id} exists with other arguments`)
    }
  }

  /** Makes an entity that was checked; an existing one stays as it is. */
  create(type: string, id: string, args: JsonObject, parent: EntityUrl | null, budget?: Budget): TestEntity {
    const existing = this.entities.get(`/${type}/${id}`)
    if (existing) return existing
    const entity = new TestEntity(this.definition(type), id, args, parent, this.now())
    this.entities.set(entity.url, entity)
    openBudget(entity, parent === null ? undefined : this.entities.get(parent), budget, this.now())
    return entity
  }

  /** Puts a message in an inbox. A handler that sends twice is caught by this: the second is a message of its own. */
  deliver(
    to: EntityUrl,
    content: Json,
    options: {
      readonly id?: string
      readonly kind?: MessageRow["kind"]
      readonly from?: Principal
      readonly mode?: MessageMode
      readonly dueAtMs?: number
      readonly attachments?: NonNullable<MessageRow["attachments"]>
      readonly schedule?: NonNullable<MessageRow["schedule"]>
    } = {},
  ): string {
    const entity = this.entity(to)
    const wanted = options.id ?? `m${String((this.#messages += 1)).padStart(6, "0")}`
    const id = entity.rows.get("message", wanted) === undefined ? wanted : `${wanted}+${(this.#messages += 1)}`
    if (options.dueAtMs !== undefined && options.dueAtMs > this.clock()) {
      const { dueAtMs, ...rest } = options
      this.#scheduled.push({ dueAtMs, deliver: () => this.deliver(to, content, { ...rest, id }) })
      return id
    }
    if (entity.status === "stopped") throw new RouseError("STOPPED", `${to} is stopped`)
    const row: MessageRow = {
      id,
      kind: options.kind ?? "message",
      from: options.from ?? { kind: "user", id: "test" },
      content,
      mode: options.mode ?? "steer",
      at: this.now(),
      status: "accepted",
      ...(options.attachments ? { attachments: options.attachments } : {}),
      ...(options.schedule ? { schedule: options.schedule } : {}),
    }
    entity.put("message", id, row)
    if (row.mode === "interrupt" && entity.status === "running") {
      entity.controller.abort(new RouseError("INTERRUPTED", "a message interrupted the run"))
    }
    return id
  }

  /** Delivers what is due. Returns when the next message is, if any is to come. */
  deliverDue(): number | undefined {
    this.#scheduled.sort((a, b) => a.dueAtMs - b.dueAtMs)
    while (this.#scheduled[0] && this.#scheduled[0].dueAtMs <= this.clock()) this.#scheduled.shift()?.deliver()
    fireSchedules(this.entities.values(), this.clock(), (to, content, schedule) => {
      this.deliver(to, content, { from: { kind: "schedule", id: schedule.name }, mode: "queue", schedule })
    })
    const observedMs = this.observations.tell(this.clock())
    const all = [this.#scheduled[0]?.dueAtMs, nextScheduleMs(this.entities.values()), observedMs]
    const next = all.filter((ms) => ms !== undefined)
    return next.length === 0 ? undefined : Math.min(...next)
  }

  async commit(entity: TestEntity, epoch: number, commit: HandlerCommit): Promise<CommitReply> {
    await this.#check(entity, commit)
    if (entity.epoch !== epoch) throw new RouseError("FENCED", `epoch ${epoch} is older than ${entity.epoch}`)
    if (commit.seq !== entity.seq) {
      this.spaces.write(commit.shared ?? [])
      this.#apply(entity, commit)
    }
    const granted = commit.reserve && entity.granted !== undefined ? { granted: entity.granted } : {}
    return { offset: START, inbox: entity.inbox(), ...granted }
  }

  async #check(entity: TestEntity, commit: HandlerCommit): Promise<void> {
    if (commit.seq !== entity.seq && commit.seq !== entity.seq + 1) {
      throw new RouseError("SEQUENCE_GAP", `commit ${commit.seq} does not follow ${entity.seq}`)
    }
    for (const event of commit.events) checkEvent(entity, event.type)
    this.observations.check(entity, commit.observes ?? [])
    for (const { type, id, args } of commit.spawns ?? []) await this.checkSpawn(type, id, args)
    checkChildren(entity, (commit.spawns ?? []).filter(({ type, id }) => !this.entities.has(`/${type}/${id}`)).length)
    for (const own of commit.forks ?? []) checkFork(entity, own, (url) => this.entities.has(url))
    for (const { to } of commit.sends ?? []) if (!this.#willExist(to, commit)) this.entity(to)
    for (const { attachments } of commit.sends ?? []) checkLent(entity, attachments)
    for (const { message } of commit.spawns ?? []) checkLent(entity, message?.attachments)
  }

  #willExist(url: EntityUrl, commit: HandlerCommit): boolean {
    return (commit.spawns ?? []).some(({ type, id }) => `/${type}/${id}` === url)
  }

  #apply(entity: TestEntity, commit: HandlerCommit): void {
    entity.seq = commit.seq
    entity.taken ??= commit.take ?? []
    charge(entity, commit.events, this.now())
    entity.schema = commit.schema ?? entity.schema
    for (const event of commit.events) entity.apply(event)
    for (const attachment of commit.attachments ?? []) keepText(entity, attachment)
    const summary = summaryOf(commit.events.findLast((event) => event.key === SUMMARY_KEY)?.value)
    if (summary) forgetPast(entity.rows, summary)
    for (const key of commit.take ?? [])
      this.#settle(entity, key, { status: "taken", ...(commit.run ? { run: commit.run } : {}) })
    for (const spawn of commit.spawns ?? []) this.#spawn(entity, spawn)
    for (const own of commit.forks ?? []) this.#fork(entity, own)
    for (const send of commit.sends ?? []) this.#send(entity, send)
    for (const [name, value] of Object.entries(commit.tags ?? {})) this.tag(entity, name, value)
    askPeople(entity, commit.approvals ?? [], this.now())
    askWorkers(entity, commit.work ?? [], this.now())
    for (const ask of commit.asks ?? []) this.#ask(entity, ask)
    applySchedules(entity, commit.schedules ?? [], this.clock())
    if (commit.observes) this.observations.apply(entity, commit.observes, this.clock())
    for (const decision of commit.budgets ?? []) this.#answer(entity, decision)
    if (commit.reserve) entity.granted = this.#reserve(entity, commit.reserve)
    if (commit.finish) this.#finish(entity, commit.run, commit.finish)
  }

  tag(entity: TestEntity, name: string, value: string | null): void {
    if (value === null) delete entity.tags[name]
    else entity.tags[name] = value
    if (value !== null) entity.put("tag", name, { value })
    else entity.apply({ type: "tag", key: name, headers: { operation: "delete" } })
  }

  #reserve(entity: TestEntity, wanted: ModelReservation): boolean {
    const parent = this.#parentOf(entity)
    const tellParent = (request: BudgetRequest): void => {
      if (!parent || entity.budget?.from !== parent.url || parent.status === "stopped") return
      if (parent.rows.get("child", entity.url)?.wake === "never") return
      this.deliver(parent.url, request as unknown as Json, { kind: "budget", from: agent(entity.url) })
    }
    return planReserve(entity, wanted, { parent, tellParent }, this.clock() - entity.leasedAtMs, this.now())
  }

  #answer(parent: TestEntity, decision: BudgetDecision): void {
    const told = answerChild(parent, this.entity(decision.entity), decision, this.now())
    if (told) this.deliver(decision.entity, told, { kind: "approval", from: agent(parent.url) })
  }

  #parentOf({ info }: TestEntity): TestEntity | undefined {
    return info.parent === null ? undefined : this.entities.get(info.parent)
  }

  #spawn(parent: TestEntity, { type, id, args, tags, message, wake, budget }: SpawnRequest): void {
    const child = this.create(type, id, args, parent.url, budget)
    for (const [name, value] of Object.entries(tags ?? {})) this.tag(child, name, value)
    if (parent.rows.get("child", child.url) === undefined) {
      parent.put("child", child.url, { url: child.url, type, at: this.now(), wake, status: "running" })
    }
    if (!message) return
    const files = lend(parent, child, message.attachments, this.now())
    this.deliver(child.url, message.content, { id: message.id, from: agent(parent.url), ...files })
  }

  #fork(entity: TestEntity, own: ForkRequest): void {
    const { type, args } = entity.info
    const fork = applyFork(entity, own, this.now(), (id, budget) => this.create(type, id, args, entity.url, budget))
    if (own.message !== undefined) this.deliver(fork.url, own.message, { from: agent(entity.url) })
  }

  #send(from: TestEntity, { id, to, content, mode, attachments, dueAtMs }: OutgoingMessage): void {
    const files = lend(from, this.entity(to), attachments, this.now())
    const due = dueAtMs === undefined ? {} : { dueAtMs }
    this.deliver(to, content, { id, mode, from: agent(from.url), ...files, ...due })
  }

  #ask(asker: TestEntity, ask: AskRequest): void {
    const { to, content, mode, timeoutMs } = ask
    const target = this.entities.get(to)
    if (!target) return this.#answerAsk(asker, ask, { code: "UNKNOWN_ENTITY", error: `there is no entity ${to}` })
    if (target.status === "stopped") return this.#answerAsk(asker, ask, { code: "STOPPED", error: `${to} is stopped` })
    target.asked.set(this.deliver(to, content, { mode, from: agent(asker.url) }), { by: asker.url, ask })
    const deliver = (): void => this.#answerAsk(asker, ask, { code: "TIMED_OUT", error: "it was not answered in time" })
    this.#scheduled.push({ dueAtMs: this.clock() + timeoutMs, deliver })
  }

  #answerAsk(asker: TestEntity, ask: AskRequest, answer: Answer): void {
    if (answerAsk(asker, ask.id, ask.kind, answer, this.now()))
      this.deliver(asker.url, { ask: ask.id }, { kind: "toolResult", mode: "queue" })
  }

  #settle(entity: TestEntity, key: string, fields: Partial<MessageRow>, reply: Json = null): void {
    const row = entity.rows.get("message", key)
    if (row) entity.put("message", key, { ...row, ...fields })
    const asked = entity.asked.get(key)
    if (asked === undefined || fields.status === undefined || fields.status === "taken") return
    entity.asked.delete(key)
    const asker = this.entities.get(asked.by)
    if (asker) this.#answerAsk(asker, asked.ask, answerOf(fields.status, reply, fields.reason, entity.url))
  }

  #finish(entity: TestEntity, run: string | undefined, finish: WakeOutcome): void {
    // No wake of this plane has a deadline.
    if (finish.kind === "sliced") throw new RouseError("INVALID_ARGS", "finish: a wake without a deadline was sliced")
    chargeWall(entity, this.clock() - entity.leasedAtMs)
    entity.release(finish.kind === "suspended" ? "suspended" : "idle")
    if (finish.kind === "suspended") return
    const reason =
      finish.kind === "failed" ? finish.error.message : finish.kind === "interrupted" ? finish.reason : undefined
    const status = finish.kind === "completed" ? "processed" : finish.kind === "failed" ? "dead" : "cancelled"
    this.#close(entity, run, status, reason, finish.kind === "completed" ? finish.reply : null)
    this.#tellParent(entity, run, finish.kind, finish.kind === "completed" ? finish.reply : null, reason)
  }

  /** Ends a wake whose attempts are used up. */
  deadLetter(entity: TestEntity, error: FailureInfo): void {
    const run = entity.rows.list("run").findLast((row) => row.status === "running" || row.status === "suspended")
    if (run) entity.put("run", run.id, { ...run, status: "failed", endedAt: this.now(), error })
    for (const { key } of entity.inbox()) this.#settle(entity, key, { status: "dead", reason: error.message })
    entity.release("dead")
    entity.reason = error.message
    this.#close(entity, run?.id, "dead", error.message)
    this.#tellParent(entity, run?.id, "failed", null, error.message)
  }

  #close(
    entity: TestEntity,
    run: string | undefined,
    status: MessageRow["status"],
    reason: string | undefined,
    reply: Json = null,
  ): void {
    for (const [key, row] of [...entity.rows.entries("message")]) {
      if (row.status === "taken" && row.run === run)
        this.#settle(entity, key, { status, ...(reason ? { reason } : {}) }, reply)
    }
    for (const [key, row] of [...entity.rows.entries("approval")]) {
      if (row.status === "waiting") entity.put("approval", key, { ...row, status: "cancelled" })
    }
    closeBudget(entity, this.#parentOf(entity), this.now())
    cancelWork(entity, this.now())
  }

  #tellParent(
    entity: TestEntity,
    run: string | undefined,
    outcome: RunOutcome,
    reply: Json,
    error: string | undefined,
  ): void {
    const parent = this.#parentOf(entity)
    const child = parent?.rows.get("child", entity.url)
    if (parent === undefined || child === undefined) return
    parent.put("child", entity.url, { ...child, status: outcome, reply })
    if (child.wake === "never") return
    const content: ChildFinished = { url: entity.url, outcome, reply, ...(error ? { error } : {}) }
    this.deliver(parent.url, content as unknown as Json, {
      id: `${entity.url.slice(1).replace("/", ".")}.${run ?? "r"}`,
      kind: "childFinished",
      from: agent(entity.url),
    })
  }

  now(): string {
    return new Date(this.clock()).toISOString()
  }
}

function agent(id: EntityUrl): Principal {
  return { kind: "agent", id }
}
