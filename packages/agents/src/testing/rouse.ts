import { RouseError, parseEntityUrl } from "@rouse/protocol"
import type {
  ApprovalRow,
  Budget,
  BudgetExtension,
  ChangeEvent,
  EntityStatus,
  EntityUrl,
  HandlerCommit,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  SharedRow,
  Spend,
  WakeBackend,
} from "@rouse/protocol"
import type { RowOf } from "../core/rows.ts"
import { ATTEMPTS } from "../entity.ts"
import { failureOf } from "./failure.ts"
import type { Host } from "../host.ts"
import { registeredEntities } from "../registry.ts"
import { runWake } from "../run-wake.ts"
import { testAttachments } from "./attachments.ts"
import { answerBudget } from "./budgets.ts"
import { deadLetter } from "./endings.ts"
import type { TestEntity } from "./entity.ts"
import { testHost } from "./host.ts"
import type { TestRouseOptions } from "./host.ts"
import { endCall } from "./waiting.ts"
import { Plane } from "./plane.ts"

/** Wakes of one `settle` before it gives up: two agents that answer each other would go on for ever. */
const WAKES_MAX = 1_000
const RETRY_DELAY_MS = 1_000

/**
 * A Rouse in memory, to test agents without a server: same handlers, same loop, same rules, a clock that only moves when told to.
 *
 * ```ts
 * const rouse = createTestRouse({ models: { "claude-sonnet-4-5": scriptedModel(["Hello!"]) } })
 * await rouse.spawn("/assistant/one")
 * expect(await rouse.ask("/assistant/one", "hi")).toBe("Hello!")
 * ```
 */
export class TestRouse {
  readonly #plane: Plane
  readonly #host: Host
  readonly #onCommit: (commit: HandlerCommit) => HandlerCommit
  #nowMs: number
  #commits = 0
  #crash: { readonly at: number; readonly when: "before" | "after" } | undefined
  #settling: Promise<void> | undefined

  constructor(options: TestRouseOptions = {}) {
    this.#nowMs = options.startMs ?? Date.UTC(2026, 0, 1)
    const known = options.entities
      ? new Map(options.entities.map((entity) => [entity.name, entity]))
      : registeredEntities()
    this.#plane = new Plane(known, () => this.#nowMs)
    this.#onCommit = options.onCommit ?? ((commit) => commit)
    this.#host = testHost(options, {
      clock: () => this.#nowMs,
      sleep: async (ms) => {
        this.#nowMs += ms
      },
    })
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Commits that handlers have made so far, over all entities. */
  get commits(): number {
    return this.#commits
  }

  /** Makes an entity. @throws {RouseError} as the server would. */
  async spawn(
    url: EntityUrl,
    options: {
      readonly args?: JsonObject
      readonly tags?: Readonly<Record<string, string>>
      readonly message?: Json
      readonly budget?: Budget
    } = {},
  ): Promise<void> {
    const { type, id } = parts(url)
    await this.#plane.checkSpawn(type, id, options.args ?? {})
    const entity = this.#plane.create(type, id, options.args ?? {}, null, options.budget)
    for (const [name, value] of Object.entries(options.tags ?? {})) this.#plane.tag(entity, name, value)
    if (options.message !== undefined) this.#plane.deliver(url, options.message)
  }

  /** Puts a message in an inbox and returns its id. Nothing runs before `settle`. */
  send(
    url: EntityUrl,
    content: Json,
    options: { readonly mode?: MessageMode; readonly afterMs?: number } = {},
  ): string {
    const dueAtMs = options.afterMs === undefined ? {} : { dueAtMs: this.#nowMs + options.afterMs }
    return this.#plane.deliver(url, content, { ...(options.mode ? { mode: options.mode } : {}), ...dueAtMs })
  }

  /** Adds messages to an application's stream, for those who observe it. Nothing runs before `settle`. */
  append(path: string, ...messages: readonly Json[]): void {
    this.#plane.observations.append(path, structuredClone(messages))
  }

  /** Puts what arrived in an inbox as it was: from whom, and of what kind. Nothing runs before `settle`. */
  deliver(url: EntityUrl, content: Json, as: Partial<Pick<MessageRow, "kind" | "from" | "schedule">>): string {
    return this.#plane.deliver(url, content, as)
  }

  /** Sends, runs until idle, and returns the reply of the run that took the message. */
  async ask(url: EntityUrl, content: Json): Promise<Json> {
    const id = this.send(url, content)
    await this.settle()
    const row = this.#plane.entity(url).rows.get("message", id)
    const run = row?.run === undefined ? undefined : this.#plane.entity(url).rows.get("run", row.run)
    if (run?.status === "completed") return run.reply ?? null
    throw new RouseError(
      "HANDLER_FAILED",
      `the message is ${row?.status ?? "lost"}: ${row?.reason ?? run?.status ?? "no reason"}`,
    )
  }

  /**
   * Answers a tool call that waits for a person, or a budget that is used up. Nothing runs before `settle`.
   *
   * @param extend What is added to a budget; what it asks for when absent.
   */
  decide(url: EntityUrl, call: string, decision: "allow" | "deny", note?: string, extend?: BudgetExtension): void {
    const entity = this.#plane.entity(url)
    const row = entity.rows.get("approval", call)
    if (row?.status !== "waiting") throw new RouseError("CONFLICT", `the call ${call} does not wait for an approval`)
    if (row.kind === "budget") answerBudget(entity, row, { decision, extend }, undefined, this.#plane.now())
    const status = decision === "allow" ? "allowed" : "denied"
    this.#say(url, call, { status, ...(note === undefined ? {} : { note }) }, decision)
  }

  /** Allows a tool call that waits for a person, with another input. */
  allowEdited(url: EntityUrl, call: string, edited: Json): void {
    this.#say(url, call, { status: "allowed", edited }, "allow")
  }

  /** Answers a question of a `humanTool`. Nothing runs before `settle`. */
  answer(url: EntityUrl, call: string, answer: Json): void {
    this.#say(url, call, { status: "answered", answer }, "allow")
  }

  /** Ends a call that waits for a worker, as one would. Nothing runs before `settle`. */
  endCall(url: EntityUrl, call: string, outcome: { readonly output: Json } | { readonly error: string }): void {
    const isLast = endCall(this.#plane.entity(url), call, outcome, this.#plane.now())
    if (isLast) this.#plane.deliver(url, { call }, { kind: "toolResult" })
  }

  #say(url: EntityUrl, call: string, change: Partial<ApprovalRow>, decision: "allow" | "deny"): void {
    const entity = this.#plane.entity(url)
    const row = entity.rows.get("approval", call)
    if (row?.status !== "waiting") throw new RouseError("CONFLICT", `the call ${call} does not wait for an approval`)
    const by = { kind: "user", id: "test" } as const
    entity.put("approval", call, { ...row, ...change, decidedAt: this.#plane.now(), by })
    const said = change.note === undefined ? {} : { note: change.note }
    this.#plane.deliver(url, { call, decision, ...said }, { kind: "approval" })
  }

  /** Interrupts the run, or delivers a custom signal. */
  signal(url: EntityUrl, name: string, payload: Json = null): void {
    const entity = this.#plane.entity(url)
    if (name !== "interrupt") this.#plane.deliver(url, { name, payload }, { kind: "signal" })
    else if (entity.status === "suspended") entity.interrupted = true
    else entity.controller.abort(new RouseError("INTERRUPTED", "a person interrupted the run"))
  }

  /** Runs wakes until nothing is left to do now. */
  async settle(): Promise<void> {
    this.#settling ??= this.#run().finally(() => {
      this.#settling = undefined
    })
    await this.#settling
  }

  /** Moves the clock, delivering what falls due on the way, and settles. */
  async advance(ms: number): Promise<void> {
    const until = this.#nowMs + ms
    for (;;) {
      await this.settle()
      const next = this.#plane.deliverDue()
      if (next === undefined || next > until) break
      this.#nowMs = Math.max(this.#nowMs, next)
    }
    this.#nowMs = Math.max(this.#nowMs, until)
    await this.settle()
  }

  status(url: EntityUrl): EntityStatus {
    return this.#plane.entity(url).status
  }

  /** What an entity may use and has used; undefined when it has no budget. */
  budget(url: EntityUrl): { readonly limits: Budget; readonly spent: Spend } | undefined {
    const { budget } = this.#plane.entity(url)
    return budget && { limits: { ...budget.limits }, spent: { ...budget.spent } }
  }

  tags(url: EntityUrl): Readonly<Record<string, string>> {
    return { ...this.#plane.entity(url).tags }
  }

  /** Live rows of a collection, in the order of their keys. */
  rows<C extends string>(url: EntityUrl, collection: C): readonly RowOf<C>[] {
    return structuredClone(this.#plane.entity(url).rows.list(collection)) as readonly RowOf<C>[]
  }

  /** Rows of a shared space, in the order of their keys. */
  sharedRows(space: string, collection: string): readonly SharedRow[] {
    return this.#plane.spaces.list(space, collection)
  }

  /** Everything that was ever written on an entity's log. */
  log(url: EntityUrl): readonly ChangeEvent[] {
    return structuredClone(this.#plane.entity(url).log)
  }

  /** Crashes the host at its `n`th commit from the beginning: before it is written, or after, when its answer is lost. */
  crashAt(n: number, when: "before" | "after" = "before"): void {
    this.#crash = { at: n, when }
  }

  /** Crashes the host now: every wake under way is lost and will be tried again. Call it from a tool or a model. */
  crash(): void {
    for (const entity of this.#plane.entities.values()) {
      if (entity.status !== "running") continue
      entity.epoch += 1
      entity.controller.abort(new RouseError("FENCED", "the host crashed"))
    }
  }

  async #run(): Promise<void> {
    for (let wakes = 0; ; wakes += 1) {
      this.#plane.deliverDue()
      const entity = [...this.#plane.entities.values()].find((candidate) => candidate.isDue())
      if (entity === undefined) return
      if (wakes >= WAKES_MAX) throw new RouseError("OVERLOADED", `${WAKES_MAX} wakes and still not idle: ${entity.url}`)
      await this.#wake(entity)
    }
  }

  async #wake(entity: TestEntity): Promise<void> {
    const wake = entity.lease(this.#nowMs)
    const backend = this.#backend(entity, wake.epoch)
    try {
      await runWake(entity.definition, { wake, entity: entity.info, rows: entity.snapshot() }, backend, this.#host)
    } catch (error) {
      this.#failed(entity, error)
    }
  }

  #failed(entity: TestEntity, error: unknown): void {
    if (entity.wakeId === undefined) return
    entity.status = "queued"
    const info = failureOf(error)
    entity.put("error", `${entity.wakeId}.${entity.attempt}`, {
      ...info,
      at: this.#plane.now(),
      wake: entity.wakeId,
      attempt: entity.attempt,
    })
    if (entity.attempt >= (entity.definition.attempts ?? ATTEMPTS)) deadLetter(this.#plane, entity, info)
    else this.#nowMs += RETRY_DELAY_MS * 2 ** (entity.attempt - 1)
  }

  #backend(entity: TestEntity, epoch: number): WakeBackend {
    return {
      signal: entity.controller.signal,
      attachments: testAttachments(entity, () => this.#plane.now()),
      shared: async (request) => this.#plane.spaces.ask(entity.url, request),
      commit: async (commit: HandlerCommit) => {
        const copy = JSON.parse(JSON.stringify(commit)) as HandlerCommit
        this.#commits += 1
        const crash = this.#crash?.at === this.#commits ? this.#crash.when : undefined
        if (crash === "before") this.crash()
        const reply = await this.#plane.commit(entity, epoch, this.#onCommit(copy))
        if (crash === "after") {
          this.crash()
          throw new RouseError("FENCED", "the host crashed")
        }
        return JSON.parse(JSON.stringify(reply)) as typeof reply
      },
    }
  }
}

/** Makes an in-memory Rouse. */
export function createTestRouse(options: TestRouseOptions = {}): TestRouse {
  return new TestRouse(options)
}

function parts(url: EntityUrl): { readonly type: string; readonly id: string } {
  const found = parseEntityUrl(url)
  if (found === undefined)
    throw new RouseError("INVALID_ARGS", `${JSON.stringify(url)} is not an entity's address: /type/id`)
  return found
}
