import { entityOfStream, setStreamPath } from "@rouse/protocol"
import type {
  ChangeEvent,
  ChangeNotice,
  EntityUrl,
  Json,
  MessageRow,
  ObserveRequest,
  ObserveSource,
  Offset,
  SubscriptionRow,
  TimeoutNotice,
} from "@rouse/protocol"
import {
  addNotice,
  checkObservation,
  checkObservationName,
  emptyNotice,
  filterOf,
  foldChange,
  observed,
  sourceStreamPath,
  topicsOf,
} from "@rouse/protocol/observe"
import type { TestEntity } from "./entity.ts"

type SetRequest = Exclude<ObserveRequest, { remove: true }>

interface Observing {
  readonly observer: TestEntity
  readonly name: string
  readonly asked: SetRequest
  /** Messages of the stream before this one were told, or are nothing that was asked for. */
  cursor: number
  /** When what follows the cursor was first seen to be news. */
  newsAtMs: number | undefined
  timeoutAtMs: number | undefined
  /** The message that told of it last. */
  last: string | undefined
}

export type DeliverChange = (
  to: EntityUrl,
  kind: "change" | "timeout",
  from: MessageRow["from"],
  content: ChangeNotice | TimeoutNotice,
) => string

/** What entities of the in-memory Rouse observe, as a server tells it: with streams and sets, and a cursor for each. */
export class TestObservations {
  readonly #entities: ReadonlyMap<EntityUrl, TestEntity>
  readonly #deliver: DeliverChange
  readonly #streams = new Map<string, Json[]>()
  readonly #observing = new Map<string, Observing>()
  /** What sets were told of each entity last. */
  readonly #facts = new Map<EntityUrl, string>()

  constructor(entities: ReadonlyMap<EntityUrl, TestEntity>, deliver: DeliverChange) {
    this.#entities = entities
    this.#deliver = deliver
  }

  append(path: string, messages: readonly Json[]): void {
    const stream = this.#streams.get(path) ?? []
    this.#streams.set(path, stream)
    stream.push(...messages)
  }

  /** @throws {RouseError} `INVALID_ARGS` naming the field. */
  check(observer: TestEntity, requests: readonly ObserveRequest[]): void {
    for (const request of requests) {
      if ("remove" in request) checkObservationName(request.name)
      else checkObservation(request, observer.url)
    }
  }

  apply(observer: TestEntity, requests: readonly ObserveRequest[], nowMs: number): void {
    this.#tellSets()
    for (const request of requests) {
      if ("remove" in request) this.#remove(observer, request.name)
      else this.#set(observer, request, nowMs)
    }
  }

  /** Tells what is due. Returns when the next is, if any is to come. */
  tell(nowMs: number): number | undefined {
    this.#tellSets()
    let next: number | undefined
    for (const one of this.#observing.values()) {
      const dueAtMs = this.#tellOne(one, nowMs)
      if (dueAtMs !== undefined && (next === undefined || dueAtMs < next)) next = dueAtMs
    }
    return next
  }

  #set(observer: TestEntity, asked: SetRequest, nowMs: number): void {
    const { name, source, on, where, debounce, timeout } = asked
    const known = observer.rows.get("subscription", name)
    const topics = topicsOf(on)
    const row: SubscriptionRow = {
      source,
      stream: sourceStreamPath(source),
      ...(topics ? { on: topics } : {}),
      ...(where ? { where } : {}),
      ...(debounce ? { debounce } : {}),
      ...(timeout === undefined ? {} : { timeout }),
      at: known?.at ?? new Date(nowMs).toISOString(),
    }
    if (known && JSON.stringify(known) === JSON.stringify(row)) return
    observer.put("subscription", name, row)
    const before = this.#observing.get(keyOf(observer, name))
    const isSame = before !== undefined && sourceStreamPath(before.asked.source) === row.stream
    this.#observing.set(keyOf(observer, name), {
      observer,
      name,
      asked,
      cursor: isSame ? before.cursor : this.#beginning(asked),
      newsAtMs: undefined,
      timeoutAtMs: timeout === undefined ? undefined : nowMs + timeout,
      last: before?.last,
    })
  }

  #beginning({ source, from = "now" }: SetRequest): number {
    if (from === "now") return this.#streamOf(source).length
    return from === "beginning" ? 0 : Number(from)
  }

  #remove(observer: TestEntity, name: string): void {
    if (observer.rows.get("subscription", name) === undefined) return
    observer.apply({ type: "subscription", key: name, headers: { operation: "delete" } })
    this.#observing.delete(keyOf(observer, name))
  }

  /** Returns when it is to be looked at again. */
  #tellOne(one: Observing, nowMs: number): number | undefined {
    const { observer, asked, name } = one
    if (observer.status === "stopped") return void this.#observing.delete(keyOf(observer, name))
    const { notice, first } = this.#look(one)
    one.cursor = first
    if (notice.count === 0) return this.#timeOut(one, nowMs)
    one.newsAtMs ??= nowMs
    const dueAtMs = one.newsAtMs + (asked.debounce ?? 0)
    if (dueAtMs > nowMs) return dueAtMs
    this.#put(one, notice)
    one.cursor = Number(notice.to)
    one.newsAtMs = undefined
    one.timeoutAtMs = asked.timeout === undefined ? undefined : nowMs + asked.timeout
    return one.timeoutAtMs
  }

  /** What there is to tell, and where the first of it is. */
  #look({ observer, asked, name, cursor }: Observing): { readonly notice: ChangeNotice; readonly first: number } {
    const stream = this.#streamOf(asked.source)
    const filter = filterOf(asked, observer.url)
    let first = stream.length
    let notice: ChangeNotice = { ...emptyNotice(name, asked.source, offset(cursor)), to: offset(stream.length) }
    for (let at = cursor; at < stream.length; at += 1) {
      const change = observed(filter, stream[at] ?? null)
      if (change === undefined) continue
      if (notice.count === 0) first = at
      notice = foldChange(notice, structuredClone(change))
    }
    return { notice: { ...notice, from: offset(first) }, first }
  }

  #put(one: Observing, notice: ChangeNotice): void {
    const { observer, asked } = one
    const row = one.last === undefined ? undefined : observer.rows.get("message", one.last)
    if (row?.status === "accepted") {
      const content = addNotice(row.content as unknown as ChangeNotice, notice) as unknown as Json
      observer.put("message", row.id, { ...row, content })
      return
    }
    one.last = this.#deliver(observer.url, "change", senderOf(asked.source), notice)
  }

  #timeOut(one: Observing, nowMs: number): number | undefined {
    const { asked, observer, name, timeoutAtMs } = one
    if (timeoutAtMs === undefined || timeoutAtMs > nowMs) return timeoutAtMs
    one.timeoutAtMs = undefined
    const { source, timeout = 0 } = asked
    this.#deliver(observer.url, "timeout", senderOf(source), { observation: name, source, timeout })
    return undefined
  }

  #streamOf(source: ObserveSource): readonly Json[] {
    const path = sourceStreamPath(source)
    const url = entityOfStream(path)
    const log: readonly ChangeEvent[] | undefined = url === undefined ? undefined : this.#entities.get(url)?.log
    return (log as unknown as readonly Json[] | undefined) ?? this.#streams.get(path) ?? []
  }

  /** Sets are told what became of entities since the last look. */
  #tellSets(): void {
    for (const { url, status, info } of this.#entities.values()) {
      const { type, id, parent, tags } = info
      const facts = JSON.stringify({ url, type, id, status, parent, tags })
      const before = this.#facts.get(url)
      if (facts === before) continue
      this.#facts.set(url, facts)
      const old = before === undefined ? {} : { old_value: JSON.parse(before) as Json }
      const headers = { operation: before === undefined ? "insert" : "update" }
      const event = { type: "entity", key: url, value: JSON.parse(facts) as Json, ...old, headers }
      this.append(setStreamPath(type), [event])
    }
  }
}

function senderOf(source: ObserveSource): MessageRow["from"] {
  const path = sourceStreamPath(source)
  const url = entityOfStream(path)
  return url === undefined ? { kind: "system", id: path } : { kind: "agent", id: url }
}

function offset(at: number): Offset {
  return String(at).padStart(9, "0") as Offset
}

function keyOf({ url }: TestEntity, name: string): string {
  return `${url} ${name}`
}
