import { RouseError, START, SUMMARY_KEY, parseEntityUrl, summaryOf } from "@rouse/protocol"
import type {
  AskRequest,
  Budget,
  BudgetDecision,
  BudgetRequest,
  CommitReply,
  EntityUrl,
  ForkRequest,
  HandlerCommit,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  ModelReservation,
  OutgoingMessage,
  Principal,
  SpawnRequest,
} from "@rouse/protocol"
import { forgetPast } from "../core/compaction.ts"
import { validateArgs } from "../definition.ts"
import type { EntityDefinition } from "../entity.ts"
import { checkLent, keepText, lend } from "./attachments.ts"
import { answerChild, charge, checkChildren, openBudget, planReserve } from "./budgets.ts"
import { checkEvent } from "./check-event.ts"
import { finishWake, settleMessage, tellAsker } from "./endings.ts"
import { TestEntity } from "./entity.ts"
import { askPeople, askWorkers } from "./waiting.ts"
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
      settleMessage(this, entity, key, { status: "taken", ...(commit.run ? { run: commit.run } : {}) })
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
    if (commit.finish) finishWake(this, entity, commit.run, commit.finish)
  }

  tag(entity: TestEntity, name: string, value: string | null): void {
    if (value === null) delete entity.tags[name]
    else entity.tags[name] = value
    if (value !== null) entity.put("tag", name, { value })
    else entity.apply({ type: "tag", key: name, headers: { operation: "delete" } })
  }

  #reserve(entity: TestEntity, wanted: ModelReservation): boolean {
    const parent = this.parentOf(entity)
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

  parentOf({ info }: TestEntity): TestEntity | undefined {
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
    if (!target) return tellAsker(this, asker, ask, { code: "UNKNOWN_ENTITY", error: `there is no entity ${to}` })
    if (target.status === "stopped") return tellAsker(this, asker, ask, { code: "STOPPED", error: `${to} is stopped` })
    target.asked.set(this.deliver(to, content, { mode, from: agent(asker.url) }), { by: asker.url, ask })
    const deliver = (): void => tellAsker(this, asker, ask, { code: "TIMED_OUT", error: "it was not answered in time" })
    this.#scheduled.push({ dueAtMs: this.clock() + timeoutMs, deliver })
  }

  now(): string {
    return new Date(this.clock()).toISOString()
  }
}

function agent(id: EntityUrl): Principal {
  return { kind: "agent", id }
}
