import { LOG_ONLY_COLLECTIONS, RouseError, entityUrl } from "@rouse/protocol"
import type {
  AskRequest,
  ChangeEvent,
  EntityInfo,
  EntityStatus,
  EntityUrl,
  Json,
  JsonObject,
  MessageRow,
  Reason,
  Row,
  WakeInfo,
} from "@rouse/protocol"
import type { BudgetState } from "@rouse/protocol/budget"
import type { EntityDefinition } from "../entity.ts"
import { LiveRows } from "../core/rows.ts"
import type { TestAttachment } from "./attachments.ts"

/** An entity of the in-memory Rouse: its log, its live rows, and the wake under way. */
export class TestEntity {
  readonly definition: EntityDefinition
  readonly url: EntityUrl
  readonly log: ChangeEvent[] = []
  readonly rows: LiveRows = new LiveRows([])
  /** Files beside the log, by their digest. */
  readonly attachments: Map<string, TestAttachment> = new Map()
  readonly #collections = new Set<string>()
  status: EntityStatus = "idle"
  epoch = 0
  seq = 0
  wakes = 0
  finished = 0
  attempt = 0
  /** What the wake took with its first commit: what every further attempt of it is shown. */
  taken: readonly string[] | undefined
  wakeId: string | undefined
  /** Messages that others asked and wait for, and who. */
  readonly asked: Map<string, { readonly by: EntityUrl; readonly ask: AskRequest }> = new Map()
  /** An interrupt came while no wake was under way. */
  interrupted = false
  /** Messages that a suspended run leaves for the next one. */
  left = 0
  reason: string | undefined
  controller: AbortController = new AbortController()
  tags: Record<string, string> = {}
  budget: BudgetState | undefined
  /** Children that it has made. */
  children = 0
  /** When the wake under way began, milliseconds since the Unix epoch. */
  leasedAtMs = 0
  /** The answer to the last `reserve`. */
  granted: boolean | undefined
  /** The schema that the author's rows are of. */
  schema: number | undefined
  readonly #info: Omit<EntityInfo, "tags">

  constructor(definition: EntityDefinition, id: string, args: JsonObject, parent: EntityUrl | null, createdAt: string) {
    this.definition = definition
    this.url = entityUrl(definition.name, id)
    this.#info = { url: this.url, type: definition.name, id, args, parent, createdAt }
    this.put("entity", this.url, { ...this.#info, status: "live" })
  }

  get info(): EntityInfo {
    const schema = this.schema === undefined ? {} : { schema: this.schema }
    return { ...this.#info, tags: { ...this.tags }, ...schema }
  }

  apply(event: ChangeEvent): void {
    this.log.push(event)
    if (LOG_ONLY_COLLECTIONS.has(event.type)) return
    this.#collections.add(event.type)
    this.rows.apply(event)
  }

  put(type: string, key: string, value: unknown): void {
    const operation = this.rows.get(type, key) === undefined ? "insert" : "update"
    this.apply({ type, key, value: value as Json, headers: { operation } })
  }

  /** Live rows, sorted by collection and key, as a wake is given them. */
  snapshot(): readonly Row[] {
    const rows = [...this.#collections]
      .sort()
      .flatMap((collection) => [...this.rows.entries(collection)].map(([key, value]) => ({ collection, key, value })))
    return JSON.parse(JSON.stringify(rows)) as Row[]
  }

  /** Messages accepted and not taken, oldest first. */
  inbox(): readonly Row<MessageRow>[] {
    return [...this.rows.entries("message")]
      .filter(([, row]) => row.status === "accepted")
      .map(([key, value]) => ({ collection: "message", key, value }))
      .sort((a, b) => (a.value.at < b.value.at ? -1 : a.value.at > b.value.at ? 1 : 0))
  }

  /** Whether there is something to wake it for. */
  isDue(): boolean {
    if (this.status === "queued") return true
    if (this.status !== "idle" && this.status !== "suspended" && this.status !== "dead") return false
    return this.interrupted || this.inbox().length > this.left
  }

  /** Begins a wake, or its next attempt, under a new lease. */
  lease(nowMs: number): WakeInfo {
    this.leasedAtMs = nowMs
    this.wakeId ??= `${this.url.slice(1).replace("/", ".")}.w${(this.wakes += 1)}`
    this.attempt += 1
    this.epoch += 1
    this.seq = 0
    this.status = "running"
    this.controller = new AbortController()
    if (this.interrupted) this.controller.abort(new RouseError("INTERRUPTED", "a person interrupted the run"))
    this.interrupted = false
    const reasons: readonly Reason[] = [...this.rows.entries("message")]
      .filter(([key, row]) => this.taken?.includes(key) ?? row.status === "accepted")
      .map(([key, row]) => ({ kind: row.schedule ? "schedule" : row.kind, message: key }))
    return {
      id: this.wakeId,
      epoch: this.epoch,
      attempt: this.attempt,
      first: this.finished === 0,
      reasons,
      deadlineAtMs: null,
    }
  }

  /** Ends the wake for good. */
  release(status: EntityStatus, left = 0): void {
    this.status = status
    this.left = left
    this.finished += 1
    this.wakeId = undefined
    this.taken = undefined
    this.attempt = 0
    this.epoch += 1
  }
}
