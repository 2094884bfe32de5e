import type {
  AttachmentInfo,
  Budget,
  BudgetDecision,
  BudgetRequest,
  CatchUp,
  ChangeNotice,
  ChildFinished,
  ChildRow,
  EntityInfo,
  EntityUrl,
  Json,
  JsonObject,
  MessageMode,
  MessageRow,
  ObserveOptions,
  ObserveSource,
  PgTable,
  Offset,
  Reason,
  ScheduleRule,
  TimeoutNotice,
  Usage,
} from "@rouse/protocol"
import type { LanguageModelV4, SharedV4ProviderOptions } from "@ai-sdk/provider"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { Attachments } from "./attachments.ts"
import type { Price } from "./core/price-table.ts"
import type { AskOptions } from "./ask.ts"
import type { StateSpec } from "./entity.ts"
import type { Log } from "./log.ts"
import type { Secret } from "./secrets/secret.ts"
import type { SharedSchema, SharedSpec, Space } from "./shared.ts"
import type { Tool } from "./tool.ts"

/** What a handler is given, beside the wake: who it is, what it knows, and what it can do. @see DESIGN §5 */
export interface Context<Args, S extends StateSpec> {
  readonly entity: EntityInfo
  /** The entity's arguments, as its schema makes them. */
  readonly args: Args
  readonly wake: Wake
  /** Aborts on an interrupt, a shutdown, a lost lease or the wake's timeout. */
  readonly signal: AbortSignal
  /** The author's collections. Reads see the writes above them; writes become durable with the next commit. */
  readonly state: { readonly [K in keyof S]: Collection<StandardSchemaV1.InferOutput<S[K]["schema"]>> }
  readonly agent: Agent
  /** The platform's tools for the model: `send`, `spawn`, `observe`, `unobserve`, `read_attachment`. */
  readonly tools: readonly Tool[]
  /** Messages of this wake: the same as `wake.messages`. */
  readonly messages: readonly MessageRow[]
  readonly children: readonly ChildRow[]
  /** Files beside the log: of messages, of tools, and what the handler puts. */
  readonly attachments: Attachments
  readonly log: Log
  /**
   * The value of a secret, now. From here on it is taken out of everything that agents write (docs/secrets.md).
   *
   * @throws {RouseError} `SECRET_MISSING`.
   */
  secret(wanted: Secret | string): Promise<string>
  /** Says how the agent loop runs. Call it before `agent.run()`; a later call replaces it. */
  useAgent(options: AgentOptions): void
  /**
   * Adds a text that the model is shown beside the conversation: what it should know, fetched when an `agent.run()` begins. A later call
   * of the same name replaces the source. See docs/context.md.
   */
  useContext(source: ContextSource): void
  /**
   * Runs `fn` once per wake id and remembers what it returned: a retried wake gets the same result and does not run it again.
   * A repeated name is a step of its own, numbered in order. The result must be JSON.
   */
  step<T>(name: string, fn: () => T | Promise<T>): Promise<T>
  /** Sends a message, exactly once however often the wake is retried. Returns its id. */
  send(to: EntityUrl, content: Json, options?: SendOptions): string
  /**
   * Asks another entity and returns what its run replies. No process waits: the run is suspended, and the handler runs again from the top when
   * the reply is there, with the same messages and no newer ones; what it had sent, spawned, written and stepped is not done again. See docs/ask.md.
   *
   * @throws {RouseError} `UNKNOWN_ENTITY` and `STOPPED` when it cannot be asked, `HANDLER_FAILED` when its run failed, `INTERRUPTED` when the
   *   question was cancelled, `TIMED_OUT`; `INVALID_ARGS` naming the option, or where the reply does not match the schema.
   */
  ask<S extends StandardSchemaV1>(
    to: EntityUrl,
    message: Json,
    options: AskOptions<S> & { readonly schema: S },
  ): Promise<StandardSchemaV1.InferOutput<S>>
  ask(to: EntityUrl, message: Json, options?: AskOptions): Promise<Json>
  /** Creates a child, exactly once, and returns its address at once. Without an id, one is made from the wake's. */
  spawn(type: string, id?: string, args?: JsonObject, options?: SpawnOptions): EntityUrl
  /**
   * Makes a child of this entity's own history, exactly once, and returns its address at once: as the last commit left it, or as it was at an
   * offset of its log. The run under way is no part of it: it ends there as interrupted. See docs/fork.md.
   */
  fork(at?: Offset, options?: ForkOptions): EntityUrl
  /**
   * Answers a child that asks for more budget, with the next commit. What it gets is taken from this entity's, as far as there is any.
   * A person may have answered first.
   */
  answerBudget(answer: BudgetDecision): void
  /**
   * Sends this entity a message by the clock, durably: `{ cron, timezone? }`, `{ every: ms }` or `{ at }`. A schedule is known by its name; the
   * same definition again changes nothing, another one replaces it.
   *
   * @throws {RouseError} `INVALID_ARGS` naming the field: a bad cron or time zone, a time in the past, an interval below a second.
   */
  schedule(name: string, rule: ScheduleRule, message: Json, options?: ScheduleOptions): void
  /** Ends a schedule. One that is not there is no error. */
  unschedule(name: string): void
  /**
   * Is roused by what happens elsewhere, durably: `/type/id` is another entity, `{ type, status?, tags? }` all that match, and any other
   * text the path of a stream (`shared/board`, `webhooks/github`, `orders`); `pgTable("orders")` is a table of your own database. What was seen arrives as messages of kind `change`; see
   * `wake.changes`. The same again changes nothing; another definition of the same name replaces it.
   *
   * @returns The name it is known by: of the source, when none is given.
   * @throws {RouseError} `INVALID_ARGS` naming the field: also for an entity that would observe itself.
   */
  observe(source: ObserveSource | PgTable, options?: ObservationOptions): string
  /** Ends an observation. One that is not there is no error. */
  unobserve(name: string): void
  /**
   * A shared space: rows that many agents and people write. It is made when it is first used. See docs/shared.md.
   *
   * @param id Names the space on the server: 1 to 128 letters, digits and `._~-`.
   * @throws {RouseError} `INVALID_ARGS` when a space cannot be named so.
   */
  shared<S extends SharedSpec>(id: string, schema: SharedSchema<S>): Space<S>
  /** Keeps the run open after this wake: the next event goes on with it. Return soon after. */
  suspend(): void
  /** What the run answers. Without it: the text of the last `agent.run()`. */
  reply(value: Json): void
  /** Sets a tag, or removes it with null. */
  tag(name: string, value: string | null): void
  /** Makes every change so far durable now. */
  commit(): Promise<void>
}

/** Why the handler runs. */
export interface Wake {
  /** The same for every attempt. */
  readonly id: string
  /** From 1. */
  readonly attempt: number
  /** Whether the entity has never finished a wake. */
  readonly first: boolean
  readonly reasons: readonly Reason[]
  /** Messages that this wake is to answer, oldest first. */
  readonly messages: readonly MessageRow[]
  /** Children whose runs ended. */
  readonly childFinished: readonly ChildFinished[]
  /** Children that used up their budget and ask for more: see `ctx.answerBudget`. */
  readonly budgets: readonly BudgetRequest[]
  /** What was observed. */
  readonly changes: readonly ChangeNotice[]
  /** Observations that saw nothing for as long as their timeout. */
  readonly timeouts: readonly TimeoutNotice[]
  /** Custom signals. */
  readonly signals: readonly { readonly name: string; readonly payload: Json }[]
  /** When the handler must have returned, milliseconds since the Unix epoch; null: no limit. */
  readonly deadlineAtMs: number | null
}

/** One of the author's collections. Every value is checked against its schema, and an error names the field. */
export interface Collection<T> {
  get(key: string): T | undefined
  /** Rows in the order of their keys. */
  list(): readonly T[]
  /** @throws {RouseError} `ALREADY_EXISTS` when there is a row of this key. */
  insert(row: T): void
  /**
   * Replaces a row by what `fn` makes of it, and returns that.
   *
   * @throws {RouseError} `NOT_FOUND` when there is none.
   */
  update(key: string, fn: (row: T) => T): T
  /** Whether there was such a row. */
  delete(key: string): boolean
}

export interface SendOptions {
  /** Deliver this many milliseconds from now. Not together with `at`. */
  readonly after?: number
  /** Deliver at this time. */
  readonly at?: Date | string
  /** How it joins: `steer` when absent. */
  readonly mode?: MessageMode
  /** Attachments of this entity's, or their ids, that come with it: the receiver gets them as its own. */
  readonly files?: readonly (AttachmentInfo | string)[]
}

export interface ObservationOptions extends ObserveOptions {
  /** What it is known by. Made of the source when absent. */
  readonly name?: string
}

export interface ScheduleOptions {
  /** What becomes of occurrences missed while everything was down: none, the newest, or all up to a bound. `once` when absent. */
  readonly catchUp?: CatchUp
}

export interface SpawnOptions {
  /** The child's first message. */
  readonly message?: Json
  /** Attachments of this entity's, or their ids, that come with that message. */
  readonly files?: readonly (AttachmentInfo | string)[]
  /** Whether this entity is woken when a run of the child ends. `finished` when absent. */
  readonly wake?: "finished" | "never"
  readonly tags?: Readonly<Record<string, string>>
  /** What the child and those below it may use, taken from what this entity has left. Half of that when absent. */
  readonly budget?: Budget
}

export interface ForkOptions extends Omit<SpawnOptions, "files"> {
  /** Made from the wake's when absent. */
  readonly id?: string
}

export interface AgentOptions {
  readonly systemPrompt: string | (() => string)
  /** A name such as `anthropic/claude-sonnet-4-5`, `gpt-5`, `rouse/echo`, or any AI SDK model. */
  readonly model: string | LanguageModelV4
  readonly tools?: readonly Tool[]
  /** Model calls of one `agent.run()`. 64 when absent; reaching it fails the run. */
  readonly maxSteps?: number
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly providerOptions?: SharedV4ProviderOptions
  readonly retry?: ModelRetry
  /** What the model costs, US dollars for a million tokens. By the price table when absent. */
  readonly price?: Price
  /** When older runs are summarised; false: never. See docs/context.md. */
  readonly compaction?: Compaction | false
}

/** What the model is shown beside the conversation. */
export interface ContextSource {
  /** 1 to 64 letters, digits, `_`, `.` and `-`: the model reads it. */
  readonly name: string
  /** Higher comes first, where several are shown at once: give what changes least the highest. 0 when absent. */
  readonly priority?: number
  /** What it may take of the prompt, about: the rest of its text is cut. */
  readonly tokens: number
  load(): string | Promise<string>
}

/** When older runs are no longer shown to the model in full, but as a summary. */
export interface Compaction {
  /** Tokens of a prompt and its answer at which the model writes a summary. 60% of the model's window when absent, at most 120,000. */
  readonly tokensMax?: number
  /** Runs whose rows may be live: with more, older ones become a digest, without a model. 20 when absent. */
  readonly runsMax?: number
  /** The same for their rows together. 600 when absent. */
  readonly rowsMax?: number
}

/** How often the provider is asked again when it is busy, down, or cuts the connection. */
export interface ModelRetry {
  /** Tries in all. 4 when absent. */
  readonly attempts?: number
  /** Before the second try, milliseconds; doubles, with jitter. 500 when absent. A `Retry-After` of the provider is honoured. */
  readonly delayMs?: number
  /** The longest wait between two tries, milliseconds. 60,000 when absent. */
  readonly delayMsMax?: number
}

/** The agent loop: the model called until it is done. */
export interface Agent {
  /**
   * Runs the loop over the entity's conversation. In a retried wake it goes on where the last attempt stopped.
   *
   * @throws {RouseError} `MODEL_REFUSED`, `CONTEXT_OVERFLOW`, `BUDGET_EXHAUSTED` (`maxSteps`): uncaught, they fail the run for
   *   good. `MODEL_FAILED`: uncaught, the wake is tried again. `INTERRUPTED` and other reasons of `ctx.signal`.
   */
  run(options?: {
    /** Text for the model, after the messages. */
    readonly prompt?: string
  }): Promise<AgentResult>
}

export interface AgentResult {
  /** What the model said in the last step. */
  readonly text: string
  /** Model calls. */
  readonly steps: number
  readonly usage: Usage
  readonly finishReason: string
  /** `suspended`: a tool call waits for a person, or the budget is used up; the loop goes on when the answer rouses the entity. */
  readonly status: "completed" | "suspended"
}
