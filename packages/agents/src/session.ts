import type {
  ApprovalRule,
  AttachmentBackend,
  ChangeEvent,
  CommitReply,
  EntityInfo,
  HandlerCommit,
  Json,
  MessageRow,
  ModelReservation,
  Row,
  RunRow,
  WakeBackend,
  WakeInfo,
  WakeOutcome,
  WakeRequest,
} from "@rouse/protocol"
import { reasonOf, sleep } from "./abort.ts"
import { change, removal } from "./batch.ts"
import type { Batch } from "./batch.ts"
import type { Pile } from "./core/compaction.ts"
import { LiveRows } from "./core/rows.ts"
import { nextRunKey, oldestFirst, openRun, unread } from "./core/run-state.ts"
import type { Host } from "./host.ts"
import { closedRun } from "./closed-run.ts"
import type { End } from "./closed-run.ts"
import { piledUp } from "./compact.ts"
import { parkedIn, parkedMemo } from "./parked.ts"
import { vaultOf } from "./secrets/vault.ts"
import type { Vault } from "./secrets/vault.ts"
import { Writer } from "./writer.ts"

/**
 * Owns one attempt of one wake: the live rows it sees, the run it belongs to, and the commits it makes.
 *
 * ```
 * handler, loop ──put──▶ rows (at once) and batch ──Writer──▶ backend
 *                        inbox ◀────────────── reply ────────────┘
 * ```
 *
 * Invariants:
 * 1. Rows show every change made through the session, durable or not.
 * 2. The first commit opens the run and takes the messages that were waiting when the wake began.
 * 3. Exactly one commit has `finish`, and it closes the run unless it suspends it.
 * 4. Remembered results of the wake are removed by its finishing commit.
 */
export class Session {
  readonly rows: LiveRows
  readonly wake: WakeInfo
  readonly entity: EntityInfo
  /** Aborts when the host says so, and when nothing more can be written. */
  readonly signal: AbortSignal
  readonly host: Host
  /** Takes the host's secrets out of what is written. */
  readonly vault: Vault
  readonly writer: Writer
  /** Key of the run. */
  readonly run: string
  /** The wake by whose id things are remembered: this one, or the one in which a handler began that waited for an answer. */
  readonly began: string
  /** Whether that wake was the entity's first. */
  readonly first: boolean
  /** Resolves when the handler waits for an answer and for nothing else. */
  readonly parked: Promise<void>
  /** Messages that this wake is to answer: keys, oldest first. */
  readonly messages: readonly string[]
  /** Tool calls that this session began, and so knows to be alive. */
  readonly begun: Set<string> = new Set()
  /** Lists of rules that ask for approvals: the server's, and the type's. */
  readonly policies: readonly (readonly ApprovalRule[])[]
  /** What a failed `agent.run()` threw: uncaught, it fails the run for good. */
  failure: Error | undefined
  /** The schema that the author's rows are of from this wake on, when that is not yet on record. */
  schema: number | undefined
  suspended = false
  /** Whether an `agent.run()` is under way. */
  looping = false
  /** The entity's attachments; undefined where the host keeps none. */
  readonly attachments: AttachmentBackend | undefined
  /** Bytes of files that the wake's prompts show, by attachment: `FILES_BYTES_MAX` in all. */
  readonly files: Map<string, Uint8Array> = new Map()
  /** Asks the host of shared spaces; undefined where it has none. */
  readonly askShared: WakeBackend["shared"]
  /** What runs may leave before a finished one makes a digest of older ones. Undefined: the handler did not say. */
  pileMax: Pile | undefined
  /** Resolves when the wake is to end at its deadline, in the middle of the handler. */
  readonly sliced: Promise<void>
  slice: () => void = () => undefined
  /** What `ctx.reply` was given. */
  reply: Json | undefined
  /** What the last pass of the agent said. */
  answer: string | undefined
  #isParked = false
  #parking: () => void = () => undefined
  readonly #interrupting: string | undefined
  readonly #stop = new AbortController()
  #opened: RunRow
  #isOpen: boolean
  /** What waits, as the last commit was told; undefined before the first. */
  #inbox: readonly Row<MessageRow>[] | undefined
  /** The answer to the last `reserve`. */
  #granted: boolean | undefined
  #flushing: ReturnType<typeof setTimeout> | undefined

  constructor(request: WakeRequest, backend: WakeBackend, host: Host, rules: readonly ApprovalRule[] = []) {
    this.rows = new LiveRows(request.rows)
    this.sliced = new Promise((resolve) => {
      this.slice = resolve
    })
    this.parked = new Promise((resolve) => {
      this.#parking = resolve
    })
    this.wake = request.wake
    this.entity = request.entity
    this.signal = this.#stop.signal
    const follow = (): void => this.#stop.abort(reasonOf(backend.signal))
    if (backend.signal.aborted) follow()
    else backend.signal.addEventListener("abort", follow, { once: true })
    this.host = host
    this.vault = vaultOf(host)
    this.policies = [request.policy ?? [], rules]
    this.attachments = backend.attachments
    this.askShared = backend.shared?.bind(backend)
    this.writer = new Writer({
      backend,
      sleep: host.sleep ?? sleep,
      complete: (batch, finish) => this.#complete(batch, finish),
      clean: (commit) => this.vault.value(commit),
      onReply: (reply) => this.#onReply(reply),
      onBroken: (error) => this.#stop.abort(error),
    })
    const open = openRun(this.rows)
    this.run = open?.id ?? nextRunKey(this.rows)
    this.#isOpen = open !== undefined
    this.#opened = open ?? {
      id: this.run,
      wake: request.wake.id,
      status: "running",
      startedAt: this.now(),
      ...(request.wake.version === undefined ? {} : { version: request.wake.version }),
    }
    this.#interrupting = open && this.#waiting().find(([, row]) => row.mode === "interrupt")?.[0]
    const parked = open && parkedIn(this.rows, open.id)
    this.began = parked?.wake ?? request.wake.id
    this.first = parked?.first ?? request.wake.first
    const waiting = this.#interrupting === undefined ? this.#takeWaiting(parked !== undefined) : []
    this.messages = [...new Set([...(parked?.messages ?? []), ...waiting])]
    if (parked) this.#inbox = this.#waiting().map(([key, value]) => ({ collection: "message", key, value }))
  }

  /** ISO 8601, UTC. */
  now(): string {
    return new Date(this.host.clock()).toISOString()
  }

  /** The entity's run as it was when the wake began. */
  get openedBefore(): boolean {
    return this.#isOpen
  }

  /** Writes a row. A change of it that no commit holds yet is replaced: only the newest value is written. */
  put(collection: string, key: string, value: unknown): void {
    const { events } = this.writer.batch
    const earlier = events.findIndex((event) => event.type === collection && event.key === key)
    const isNew =
      earlier < 0 ? this.rows.get(collection, key) === undefined : events[earlier]?.headers.operation === "insert"
    const event = change(collection, key, isNew ? "insert" : "update", this.vault.value(value))
    this.rows.apply(event)
    if (earlier < 0) events.push(event)
    else events[earlier] = event
  }

  /** The handler waits for an answer: once it has nothing else to do at this moment, the wake ends, and it is left where it is. */
  park(): void {
    if (this.#isParked) return
    this.#isParked = true
    setTimeout(this.#parking, 0)
  }

  flush(): Promise<void> {
    this.#cancelFlush()
    return this.writer.flush()
  }

  /** Asks for a model call, in a commit with whatever else waits. Returns whether it may be made: a host that knows no budgets says nothing. */
  async reserve(reservation: ModelReservation): Promise<boolean> {
    this.#granted = undefined
    this.writer.batch.reserves.push(reservation)
    await this.flush()
    return this.#granted ?? true
  }

  /** Makes what is waiting durable within `ms`, with whatever else comes until then. A failure shows at the next flush. */
  flushSoon(ms: number): void {
    if (!Number.isFinite(ms)) return
    this.#flushing ??= setTimeout(() => {
      this.#flushing = undefined
      this.writer
        .flush()
        .catch((error: unknown) => this.host.log.debug("a commit failed", { error: this.vault.text(String(error)) }))
    }, ms)
  }

  /** Takes messages that arrived meanwhile and want to join: they are unread from now on. */
  joinInbox(): void {
    for (const { key, value } of this.#inbox ?? []) {
      if (value.mode === "queue" || this.rows.get("message", key)?.status === "taken") continue
      this.#take(key, value)
    }
  }

  /**
   * A message that was to interrupt the run before this wake began: the run must end before anything else, and the message is
   * for the next wake.
   */
  interruptingMessage(): string | undefined {
    return this.#interrupting
  }

  /** Messages that no step has shown the model yet. */
  unread(): readonly string[] {
    return unread(this.rows, this.run)
  }

  async finish(outcome: WakeOutcome): Promise<void> {
    this.#cancelFlush()
    await this.writer.finish(outcome)
  }

  /** Ends the session without a finish: whatever the handler still does is refused. */
  abandon(error: unknown): void {
    this.#cancelFlush()
    this.writer.close(error)
    this.#stop.abort(error)
  }

  #cancelFlush(): void {
    clearTimeout(this.#flushing)
    this.#flushing = undefined
  }

  #waiting(): readonly (readonly [string, MessageRow])[] {
    return oldestFirst(this.rows, (row) => row.status === "accepted")
  }

  /** Messages that wait, and that a handler which waits leaves for others. An answer is never among them. */
  get left(): number {
    const known = this.#inbox ?? this.#waiting().map(([key, value]) => ({ key, value }))
    return known.filter(({ key, value }) => isLater(value) && this.rows.get("message", key)?.status !== "taken").length
  }

  /**
   * A further attempt sees what its reasons name and no more: what arrived since joins later, or is for the next wake. So it is with a handler
   * that goes on where it was left: the messages that it is shown decide what it does before it is there again, and that must be what it did.
   */
  #takeWaiting(goesOn: boolean): readonly string[] {
    const named = new Set(this.wake.reasons.flatMap((reason) => reason.message ?? []))
    // What arrived after an interrupt is not of the run that it ends.
    const isAfter = this.signal.aborted && this.wake.attempt > 1
    const isFirst = this.wake.attempt === 1 && !this.signal.aborted
    const mine = oldestFirst(this.rows, (row, key) => {
      if (row.status === "accepted" && goesOn && isLater(row)) return false
      if (row.status === "accepted") return isFirst || (named.has(key) && !(row.mode === "interrupt" && isAfter))
      return row.status === "taken" && row.run === this.run && named.has(key)
    })
    for (const [key, row] of mine) if (row.status === "accepted") this.#take(key, row)
    return mine.map(([key]) => key)
  }

  /** The server writes the message's row; here it only looks taken already. */
  #take(key: string, row: MessageRow): void {
    this.rows.put("message", key, { ...row, status: "taken", run: this.run } as unknown as Json)
    this.writer.batch.take.push(key)
  }

  #onReply(reply: CommitReply): void {
    this.#inbox = reply.inbox
    if (reply.granted !== undefined) this.#granted = reply.granted
  }

  #complete(batch: Batch, finish: WakeOutcome | undefined): Partial<HandlerCommit> {
    const run = this.#runEvents(finish)
    const schema = this.schema === undefined ? {} : { schema: this.schema }
    if (!isEnd(finish)) return { run: this.run, events: [...run, ...batch.events, ...batch.memos], ...schema }
    // What is remembered holds when the handler runs again for the answer.
    if (this.#isParked && finish.kind === "suspended") {
      return { run: this.run, events: [...batch.events, ...batch.memos, parkedMemo(this), ...run], ...schema }
    }
    // A run closes after all that happened in it, also for who reads the log line by line.
    const past = finish.kind === "suspended" ? [] : piledUp(this)
    return { run: this.run, events: [...batch.events, ...this.#forgetMemos(batch), ...past, ...run], ...schema }
  }

  #runEvents(finish: WakeOutcome | undefined): ChangeEvent[] {
    const reopened = this.#opened.status === "suspended"
    if (!isEnd(finish) && this.#isOpen && !reopened) return []
    const row = !isEnd(finish) ? { ...this.#opened, status: "running" as const } : closedRun(this, this.#opened, finish)
    const event = change("run", this.run, this.#isOpen ? "update" : "insert", row)
    this.#isOpen = true
    this.#opened = row
    this.rows.apply(event)
    return [event]
  }

  /** Memos that were never written need no removal. */
  #forgetMemos(batch: Batch): ChangeEvent[] {
    const unwritten = new Set(batch.memos.map((memo) => memo.key))
    return this.rows
      .keys("memo")
      .filter((key) => !unwritten.has(key))
      .map((key) => removal("memo", key))
  }
}

/** Whether a message is not for a handler that goes on where it was left. */
function isLater({ kind, mode }: MessageRow): boolean {
  return kind === "message" && mode !== "interrupt"
}

function isEnd(finish: WakeOutcome | undefined): finish is End {
  return finish !== undefined && finish.kind !== "sliced"
}
