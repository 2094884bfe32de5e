import type {
  AttachmentInfo,
  Budget,
  BudgetExtension,
  CatchUp,
  ChangeEvent,
  DeadLetter,
  EntityDetail,
  EntityPage,
  EntityQuery,
  EntitySummary,
  EntityUrl,
  ForkBody,
  Forked,
  Imported,
  Json,
  JsonObject,
  KeyInfo,
  LogEvent,
  LogPage,
  LogPageQuery,
  MessageMode,
  Offset,
  Receipt,
  RouseError,
  Row,
  ObservationInfo,
  ObserveOptions as ObservationOptions,
  ObserveSource,
  ScheduleInfo,
  SchedulePage,
  ScheduleQuery,
  ScheduleRule,
  ServerInfo,
  Settled,
  Spawned,
  TypeInfo,
  UsageQuery,
  UsageReport,
} from "@rouse/protocol"
import type { Clock } from "./clock.ts"
import type { Webhooks } from "./webhooks.ts"
import type { People } from "./people.ts"
import type { Handlers } from "./handlers.ts"
import type { SharedSpaces } from "./shared.ts"

/** Where a server is, and who asks. */
export interface ClientOptions {
  /** The server's base, for example `http://127.0.0.1:4437`. A page served by it can give `location.origin`. */
  readonly url: string
  /** Sent as a bearer token. A function is asked before each request, so that it may refresh the token. */
  readonly token?: string | (() => string | Promise<string>)
  /** Used instead of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch
  /** How often one request is sent at most when it fails for a passing reason; 6 when absent, 1 never tries again. */
  readonly attempts?: number
  readonly clock?: Clock
  /** Chooses the jitter of retries: at least 0, below 1. */
  readonly random?: () => number
  /** Makes idempotency keys: a new unguessable one at every call. */
  readonly newKey?: () => string
}

export interface CallOptions {
  /** Ends the call, and any retry of it, with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

export interface WriteOptions extends CallOptions {
  /** Repeating a call with the same key does it once. A random key when absent. */
  readonly idempotencyKey?: string | undefined
}

export interface ApproveOptions extends WriteOptions {
  /** What is added to a budget that is used up. As much again as it began with when absent. */
  readonly extend?: BudgetExtension | undefined
  /** The input that is to run instead of the model's. It must match the tool's schema. */
  readonly input?: Json | undefined
}

export interface SpawnInput {
  readonly args?: JsonObject | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** The first message. */
  readonly message?: Json | undefined
  readonly parent?: EntityUrl | undefined
  /** What it and those below it may use. */
  readonly budget?: Budget | undefined
}

/** A length of time: milliseconds, or `500ms`, `30s`, `2m`. */
export type Duration = number | string

export interface SpawnOptions extends WriteOptions {
  /** Wait at most this long (10 minutes at most) for the first message to settle. */
  readonly wait?: Duration | undefined
}

export interface SendOptions extends WriteOptions {
  /** How it joins a run under way; the server's choice for people is `steer`. */
  readonly mode?: MessageMode | undefined
  /** Ids of the entity's attachments that come with it. */
  readonly attachments?: readonly string[] | undefined
}

/** A file on its way: text, bytes, a `Blob` or `File`, or a stream. */
export interface FileInput {
  readonly content: string | Uint8Array | Blob | ReadableStream<Uint8Array>
  /** A `File`'s own when absent. */
  readonly name?: string | undefined
  /** A `Blob`'s own when absent. */
  readonly mediaType?: string | undefined
}

export interface UploadOptions extends CallOptions, Omit<FileInput, "content"> {}

export interface FilesOption {
  /** Files that come with it: they are uploaded first. */
  readonly files?: readonly FileInput[] | undefined
}

export interface DelayedSendOptions extends SendOptions, FilesOption {
  /** Deliver this long from now. Not together with `at`. */
  readonly after?: Duration | undefined
  /** Deliver at this time: a `Date`, or ISO 8601. */
  readonly at?: Date | string | undefined
}

export interface AskOptions extends SendOptions, FilesOption {
  /** How long to wait in total; 10 minutes when absent. */
  readonly timeout?: Duration | undefined
}

export interface WatchOptions extends CallOptions {
  /** Told each time the connection is lost, before it is taken up again. */
  readonly onInterrupted?: ((error: RouseError) => void) | undefined
}

export interface ObserveOptions extends WatchOptions {
  /** Read after this offset; the beginning of the log when absent. */
  readonly from?: Offset | undefined
  /** Go on with what is written from now on; true when absent. */
  readonly live?: boolean | undefined
  /**
   * Begin with the live rows, however long the log is, instead of all that happened. They are told between two control events, and again
   * should the log no longer be kept from where the reader stands. Without effect together with `from`, until then.
   */
  readonly snapshot?: boolean | undefined
}

/** What a streamed send tells: first `accepted`, then each change of the log from the message on, last `settled`. */
export type StreamEvent =
  | { readonly kind: "accepted"; readonly receipt: Receipt }
  | { readonly kind: "change"; readonly event: ChangeEvent; readonly offset?: Offset }
  | { readonly kind: "settled"; readonly settled: Settled }

/** What a watched list tells: the whole first page, then every entity that changed, and those that match no longer. */
export type WatchEvent =
  | { readonly kind: "page"; readonly page: EntityPage }
  | { readonly kind: "entity"; readonly entity: EntitySummary }
  | { readonly kind: "gone"; readonly url: EntityUrl }

/** Changes of an entity's log, in order, and where the log stands after them. */
export interface LogBatch<Event extends LogEvent = ChangeEvent> {
  readonly events: readonly Event[]
  readonly offset: Offset
  /** Nothing more was on the log when this was read. */
  readonly upToDate: boolean
}

export interface StateOptions extends CallOptions {
  /** An offset of the log: the rows as they were there. */
  readonly at?: Offset | undefined
  /** Together with `at`: in the order in which they came about, so that a timeline can be made of them. */
  readonly ordered?: boolean | undefined
}

export interface StateRows {
  readonly offset: Offset
  readonly rows: readonly Row[]
}

/** What was spawned, and what came of its first message when the call waited for it. */
export interface SpawnReply extends Spawned {
  readonly settled?: Settled
}

export interface DeadLetterOptions extends WriteOptions {
  /** Keys of the messages that are meant; all that are dead when absent. */
  readonly messages?: readonly string[] | undefined
}

/** What an operator looks after. */
export interface Operators {
  /**
   * Sets a schedule of an entity, by name; the same definition again changes nothing.
   *
   * @throws {RouseError} `INVALID_ARGS` naming the field: `cron`, `timezone`, `every` (milliseconds) or `at`.
   * @example
   * await client.schedule("/reporter/one", "daily", { cron: "0 9 * * 1-5", timezone: "Europe/Berlin" }, "Write the report")
   */
  schedule(
    url: EntityUrl,
    name: string,
    rule: ScheduleRule,
    message: Json,
    options?: WriteOptions & { readonly catchUp?: CatchUp | undefined },
  ): Promise<ScheduleInfo>
  /** The entity's schedules, and messages that were sent for later, earliest first. */
  schedules(url: EntityUrl, options?: CallOptions): Promise<readonly ScheduleInfo[]>
  /** One page of the schedules of all entities, and of messages for later: what comes due first. */
  allSchedules(query?: ScheduleQuery, options?: CallOptions): Promise<SchedulePage>
  /** @throws {RouseError} `NOT_FOUND` when there is none. */
  unschedule(url: EntityUrl, name: string, options?: WriteOptions): Promise<void>
  /**
   * Has an entity roused by what happens elsewhere: in another entity, in all of a type with a status or tags, or in a stream. The same again
   * changes nothing.
   *
   * @throws {RouseError} `INVALID_ARGS` naming the field.
   * @example
   * await client.addObservation("/reviewer/one", "/writer/one", { on: "drafts", where: { words: { gt: 1000 } } })
   */
  addObservation(
    url: EntityUrl,
    source: ObserveSource,
    options?: WriteOptions & ObservationOptions & { readonly name?: string | undefined },
  ): Promise<ObservationInfo>
  /** What an entity observes, by name, and how far it was told. */
  observations(url: EntityUrl, options?: CallOptions): Promise<readonly ObservationInfo[]>
  /** @throws {RouseError} `NOT_FOUND` when there is none. */
  removeObservation(url: EntityUrl, name: string, options?: WriteOptions): Promise<void>
  /** Messages of all entities that were given up. */
  deadLetters(options?: CallOptions): AsyncIterableIterator<DeadLetter>
  /** Accepts the entity's dead messages again. Returns how many. */
  retry(url: EntityUrl, options?: DeadLetterOptions): Promise<number>
  /** Settles the entity's dead messages for good, as cancelled. Returns how many. */
  discard(url: EntityUrl, options?: DeadLetterOptions): Promise<number>
}

export interface ExportOptions extends CallOptions {
  readonly tree?: boolean | undefined
}

export interface ImportOptions extends CallOptions {
  /** The root's new address. */
  readonly as?: EntityUrl | undefined
  /** What was under way goes on at once; it is paused otherwise. */
  readonly run?: boolean | undefined
}

/** What is made of an entity's history: docs/fork.md. */
export interface History {
  /**
   * Makes an entity of another's history, up to an offset of its log or to its end; with `tree` of all below it too. The two go on apart.
   *
   * @throws {RouseError} `UNKNOWN_ENTITY`; `BAD_OFFSET`; `ALREADY_EXISTS` when the id is taken.
   * @example
   * const { entity } = await client.fork("/support/one", { at: offset, message: "Try again, more politely" })
   */
  fork(url: EntityUrl, options?: ForkBody, write?: WriteOptions): Promise<Forked>
  /**
   * The agent, with `tree` all below it too, as a bundle: lines of JSON, as they come.
   *
   * @throws {RouseError} `UNKNOWN_ENTITY`; `OVERLOADED` when the tree did not hold still.
   */
  export(url: EntityUrl, options?: ExportOptions): Promise<ReadableStream<Uint8Array>>
  /**
   * Makes the agents of a bundle: all or none.
   *
   * @throws {RouseError} `BAD_REQUEST` when it is damaged; `ALREADY_EXISTS`; `UNKNOWN_TYPE`.
   */
  import(
    bundle: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string,
    options?: ImportOptions,
  ): Promise<Imported>
}

/**
 * Talks to a Rouse server. An entity is named by its address, `/type/id`.
 *
 * Every method throws a `RouseError` whose `code` is the problem's, and `INTERNAL` for what it does not know. Requests that fail for a
 * passing reason are tried again a few times; no call is done twice, since each carries an idempotency key.
 */
export interface Client extends Operators, People, History, Handlers, SharedSpaces, Webhooks {
  /** The server's base, without a trailing slash. */
  readonly url: string

  /** The server's version, and the types it knows. */
  info(options?: CallOptions): Promise<ServerInfo>
  types(options?: CallOptions): Promise<readonly TypeInfo[]>

  /**
   * Creates an entity, by address or by type with a random id. Spawning it again with the same arguments changes nothing.
   *
   * @throws {RouseError} `UNKNOWN_TYPE`; `INVALID_ARGS`; `ALREADY_EXISTS` when it exists with other arguments.
   * @example
   * const { entity } = await client.spawn("/support/ann", { args: { customer: "ann" } })
   * const { entity } = await client.spawn("support", { args: { customer: "ann" }, message: "My order is late" })
   */
  spawn(target: string, input?: SpawnInput, options?: SpawnOptions): Promise<SpawnReply>
  spawn(type: string, id: string | undefined, input?: SpawnInput, options?: SpawnOptions): Promise<SpawnReply>

  /**
   * Puts a message in the entity's inbox. When it returns, the message is on disk and will be settled.
   *
   * @example
   * await client.send("/assistant/one", "Remind me", { after: "2m" })
   */
  send(url: EntityUrl, content: Json, options?: DelayedSendOptions): Promise<Receipt>

  /**
   * Sends a message and waits until it is settled. A lost connection is taken up again without sending twice.
   *
   * @returns What came of it; test `status`: `processed`, `cancelled` or `dead`.
   * @throws {RouseError} `TIMED_OUT` when `timeout` is over. The message stays accepted.
   * @example
   * const { reply } = await client.ask("/assistant/one", "What is the capital of France?", { timeout: "1m" })
   */
  ask(url: EntityUrl, content: Json, options?: AskOptions): Promise<Settled>

  /**
   * Sends a message and tells everything that is written to the entity's log until it is settled. A lost connection is taken up again
   * from the log, with nothing lost or told twice.
   *
   * @example
   * let timeline = emptyTimeline()
   * for await (const item of client.stream("/assistant/one", "Hello")) {
   *   if (item.kind === "change") timeline = applyChange(timeline, item.event)
   * }
   */
  stream(url: EntityUrl, content: Json, options?: SendOptions): AsyncIterableIterator<StreamEvent>

  /**
   * Puts a file beside the entity's log, for messages to bring and for the agent to read. The same bytes again are the same attachment.
   *
   * @throws {RouseError} `TOO_LARGE`; `INVALID_ARGS` naming `name`.
   * @example
   * const { id } = await client.upload("/assistant/one", file)
   * await client.send("/assistant/one", "What is in this picture?", { attachments: [id] })
   */
  upload(url: EntityUrl, content: FileInput["content"], options?: UploadOptions): Promise<AttachmentInfo>
  attachments(url: EntityUrl, options?: CallOptions): Promise<readonly AttachmentInfo[]>
  /** An attachment's bytes, as the answer to a request. @throws {RouseError} `NOT_FOUND`. */
  attachment(url: EntityUrl, id: string, options?: CallOptions): Promise<Response>
  deleteAttachment(url: EntityUrl, id: string, options?: WriteOptions): Promise<void>

  /** One page of entities, newest activity first. */
  list(query?: EntityQuery, options?: CallOptions): Promise<EntityPage>
  /** All entities that match, page after page. */
  listAll(query?: EntityQuery, options?: CallOptions): AsyncIterableIterator<EntitySummary>
  /** A list that stays current. After a lost connection it starts again with a `page`. Ends when the signal aborts. */
  watch(query?: EntityQuery, options?: WatchOptions): AsyncIterableIterator<WatchEvent>

  /** @throws {RouseError} `UNKNOWN_ENTITY` */
  get(url: EntityUrl, options?: CallOptions): Promise<EntityDetail>
  /** The entity's rows, of all collections or of one: now, or as they were at an offset of its log. */
  state(url: EntityUrl, collection?: string, options?: StateOptions): Promise<StateRows>
  /** A part of the entity's log read from its end, each commit with the offset behind it. @throws {RouseError} `BAD_OFFSET`; `GONE`. */
  log(url: EntityUrl, options?: CallOptions & LogPageQuery): Promise<LogPage>
  /** The tokens that may come in, by name. @throws {RouseError} `FORBIDDEN` below scope `admin`. */
  keys(options?: CallOptions): Promise<readonly KeyInfo[]>

  /**
   * Reads the entity's log in order, and goes on as it grows unless `live` is false. Ends without an error when the signal aborts.
   *
   * The beginning of a log that is no longer kept whole is its live rows, as inserts.
   *
   * @example
   * for await (const { events, offset } of client.observe("/assistant/one")) console.log(offset, events)
   */
  observe(
    url: EntityUrl,
    options: ObserveOptions & { readonly snapshot: true },
  ): AsyncIterableIterator<LogBatch<LogEvent>>
  observe(url: EntityUrl, options?: ObserveOptions & { readonly snapshot?: false }): AsyncIterableIterator<LogBatch>

  /** `interrupt`, `pause`, `resume`, `kill`, or a name of your own that the handler is told. */
  signal(url: EntityUrl, name: string, payload?: Json, options?: WriteOptions): Promise<void>
  /** Decides a tool call that waits for a person, or a budget that is used up. `call` is the approval's key. */
  approve(
    url: EntityUrl,
    call: string,
    decision: "allow" | "deny",
    note?: string,
    options?: ApproveOptions,
  ): Promise<void>
  /** What model calls used and cost, by type when the query does not say. */
  usage(query?: UsageQuery, options?: CallOptions): Promise<UsageReport>
  /** Sets tags; null removes one. */
  tag(url: EntityUrl, tags: Readonly<Record<string, string | null>>, options?: WriteOptions): Promise<EntityDetail>
  /** Stops the entity for good (the signal `kill`). To abort only the run under way, signal `interrupt`. */
  stop(url: EntityUrl, options?: WriteOptions): Promise<void>
  /** Deletes the entity: it is stopped for good, and its log stays readable unless `purge`. */
  delete(url: EntityUrl, options?: WriteOptions & { readonly purge?: boolean | undefined }): Promise<void>
}
