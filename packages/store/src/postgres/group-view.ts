import { homeOfEntity, homeOfReceipt, homeOfStream, homeOfSubscription, mayBePlaced, numberOf } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import { incarnationOf } from "../core/offset.ts"
import type { ProducerState } from "../core/producer.ts"
import type { StreamState } from "../core/stream-state.ts"
import type { LinkState, SubscriptionState, SubscriptionView } from "../core/subscription-state.ts"
import type { EntityState, StoreView } from "../core/view.ts"
import type { ApplyList } from "./apply-lists.ts"
import { batchKey, Deferred, Missing, producerKey } from "./facts.ts"
import type { Facts, Need } from "./facts.ts"
import { GroupObservations } from "./group-observations.ts"
import { GroupSpaces } from "./group-spaces.ts"
import type { Ids } from "./ids.ts"
import type { Layer } from "./layer.ts"
import type { SubscriptionSet } from "./subscription-set.ts"

/** What a plan was based on, to be compared behind the locks. */
export interface Check {
  readonly list: ApplyList
  readonly row: Readonly<Record<string, unknown>>
}

export interface GroupSources {
  readonly facts: Facts
  readonly layer: Layer
  readonly set: SubscriptionSet
  readonly ids: Ids
  readonly nonce: string
  /** Makes a fact of what is at hand. False: nobody has looked. */
  readonly recall: (need: Need) => boolean
}

/**
 * What one commit of a group is planned on: the facts, with what the commits before it in the group do laid over them. Remembers what was looked
 * at, so that it can be checked, and what is to be locked.
 */
export class GroupView implements StoreView, SubscriptionView {
  readonly #sources: GroupSources
  /** By key: of what no earlier commit of the group had looked at or changed, too. */
  readonly checks: Map<string, Check> = new Map()
  readonly keys: Set<string> = new Set()
  readonly homes: Set<Home> = new Set()
  readonly pathOf: Map<number, string> = new Map()
  /** Those that are there, of which were looked at. */
  readonly entities: Map<string, EntityState> = new Map()
  /** Trees that this commit finds for new homes. */
  readonly trees: Map<Home, number> = new Map()

  /** Streams that begin in this commit. */
  readonly #born = new Set<number>()

  readonly observations: GroupObservations
  readonly spaces: GroupSpaces

  constructor(sources: GroupSources) {
    this.#sources = sources
    const { checks, keys, homes } = this
    const found = <T>(look: () => T | undefined, need: Need): T => this.#found(look, need)
    const newSerial = (): number => this.newSerial()
    this.observations = new GroupObservations({ sources, checks, keys, homes, found, newSerial })
    const pathOf = (stream: number): string | undefined => (this.#born.has(stream) ? undefined : this.#pathOf(stream))
    this.spaces = new GroupSpaces({ sources, pathOf, found })
  }

  get subscriptions(): SubscriptionView {
    return this
  }

  treeOf(home: Home): number {
    if (!mayBePlaced(home)) return numberOf(home)
    const placed = this.#sources.layer.trees.get(home)
    if (placed !== undefined) this.keys.add(`h ${home}`)
    const known = this.trees.get(home) ?? placed
    if (known !== undefined) return known
    return this.placeOf(home) ?? numberOf(home)
  }

  /** The tree where an address was placed before this group; null: it was not. */
  placeOf(home: Home): number | null {
    return this.#found(() => this.#sources.facts.places.get(home), { kind: "entities", name: home })
  }

  stream(path: string): StreamState | undefined {
    const { layer, facts } = this.#sources
    this.#touch("s", path, homeOfStream(path))
    const changed = layer.streams.get(path)
    const fact = changed ?? this.#found(() => facts.streams.get(path), { kind: "streams", name: path })
    const { state, tree, rev } = fact
    if (changed === undefined) {
      const row = { tree, path, id: state?.id ?? 0, rev, tail: state?.tail ?? 0 }
      this.checks.set(`s ${path}`, { list: "k_stream", row })
      if (state === undefined) this.#checkPlace(homeOfStream(path))
    }
    if (state !== undefined) this.pathOf.set(state.id, path)
    return state
  }

  producer(stream: number, id: string): ProducerState | undefined {
    if (this.#born.has(stream)) return undefined
    const path = this.#pathOf(stream)
    const key = producerKey(path, id)
    const { layer, facts } = this.#sources
    const changed = layer.producers.get(key)
    if (changed !== undefined) return changed ?? undefined
    if (layer.isNew(path)) return undefined
    return this.#found(() => facts.producers.get(key), { kind: "producers", name: path, id }) ?? undefined
  }

  hasBatchEnd(stream: number, position: number): boolean {
    if (this.#born.has(stream)) return false
    const path = this.#settledPath(stream)
    return this.#found(() => this.#sources.facts.ends.get(batchKey(stream, position)), {
      kind: "ends",
      name: path,
      stream,
      position,
    })
  }

  batchAfter(stream: number, position: number): Uint8Array | undefined {
    if (this.#born.has(stream)) return undefined
    const path = this.#settledPath(stream)
    const need: Need = { kind: "afters", name: path, stream, position }
    return this.#found(() => this.#sources.facts.afters.get(batchKey(stream, position)), need) ?? undefined
  }

  entity(url: string): EntityState | undefined {
    const { layer, facts } = this.#sources
    this.#touch("e", url, homeOfEntity(url))
    const changed = layer.entities.get(url)
    const { state, tree } = changed ?? this.#found(() => facts.entities.get(url), { kind: "entities", name: url })
    if (changed === undefined) {
      const row = { tree, url, id: state?.id ?? 0, version: state?.version ?? 0, seq: state?.seq ?? 0 }
      this.checks.set(`e ${url}`, { list: "k_entity", row })
      if (state === undefined) this.#checkPlace(homeOfEntity(url))
    }
    if (state !== undefined) this.entities.set(url, state)
    return state
  }

  hasTimer(id: string): boolean {
    const { layer, facts } = this.#sources
    this.#touch("t", id, `t:${id}`)
    const changed = layer.timers.get(id)
    if (changed !== undefined) return changed !== null
    const fact = this.#found(() => facts.timers.get(id), { kind: "timers", name: id })
    this.checks.set(`t ${id}`, { list: "k_timer", row: { id, tree: fact?.tree ?? null } })
    if (fact !== null) this.homes.add(homeOfEntity(fact.url))
    return fact !== null
  }

  workVersion(id: string): number {
    const { layer, facts } = this.#sources
    this.#touch("w", id, `w:${id}`)
    const changed = layer.works.get(id)
    if (changed !== undefined) return changed?.version ?? 0
    const fact = this.#found(() => facts.works.get(id), { kind: "works", name: id })
    this.checks.set(`w ${id}`, {
      list: "k_work",
      row: { id, tree: fact?.tree ?? null, version: fact?.version ?? 0 },
    })
    if (fact !== null) this.homes.add(homeOfEntity(fact.url))
    return fact?.version ?? 0
  }

  hasReceipt(key: string): boolean {
    const { layer, facts } = this.#sources
    const home = homeOfReceipt(key)
    this.#touch("r", key, home)
    if (layer.receipts.has(key)) return true
    const there = this.#found(() => facts.receipts.get(key), { kind: "receipts", name: key })
    this.checks.set(`r ${key}`, { list: "k_receipt", row: { tree: numberOf(home), key, there } })
    return there
  }

  pinned(stream: number): number | undefined {
    if (this.#born.has(stream)) return undefined
    const path = this.#settledPath(stream)
    if (this.#sources.layer.links.has(path)) throw new Deferred()
    const position = this.#found(() => this.#sources.facts.pins.get(path), { kind: "pins", name: path, stream })
    const row = { tree: this.treeOf(homeOfStream(path)), stream, path, position }
    this.checks.set(`n ${path}`, { list: "k_pin", row })
    return position ?? undefined
  }

  newStream(): { readonly id: number; readonly incarnation: string } {
    const id = this.#sources.ids.take()
    this.#born.add(id)
    return { id, incarnation: incarnationOf(id, this.#sources.nonce) }
  }

  newEntityId(): number {
    return this.#sources.ids.take()
  }

  newSerial(): number {
    return this.#sources.ids.take()
  }

  get any(): boolean {
    return this.#sources.set.size > 0
  }

  counts(): { readonly all: number; readonly broad: number } {
    return this.#sources.set.counts()
  }

  subscription(id: string): SubscriptionState | undefined {
    const { layer, facts } = this.#sources
    this.#touch("u", id, homeOfSubscription(id))
    if (layer.subscriptions.has(id)) return layer.subscriptions.get(id)
    const fact = this.#found(() => facts.subscriptions.get(id), { kind: "subscriptions", name: id })
    this.#checkSubscription(id, fact.state?.serial ?? 0, fact.rev)
    return fact.state
  }

  subscribers(path: string): readonly LinkState[] {
    const { layer, facts, set } = this.#sources
    const changed = layer.links.get(path)
    if (changed !== undefined) return changed
    const links = this.#found(() => facts.links.get(path), { kind: "links", name: path })
    for (const { id, serial, rev } of links) {
      this.#touch("u", id, homeOfSubscription(id))
      if (!layer.subscriptions.has(id)) this.#checkSubscription(id, serial, rev)
    }
    const all = set.subscribers(path, links)
    this.#lookUpAll(all.map(({ id }) => id))
    return all
  }

  /** All at once: each of them will be asked for. */
  #lookUpAll(ids: readonly string[]): void {
    const { layer, facts, recall } = this.#sources
    const needs = ids.map((id): Need => ({ kind: "subscriptions", name: id }))
    const missing = needs.filter(
      (need) => !layer.subscriptions.has(need.name) && !facts.subscriptions.has(need.name) && !recall(need),
    )
    if (missing.length > 0) throw new Missing(missing)
  }

  #checkSubscription(id: string, serial: number, rev: number): void {
    const row = { tree: numberOf(homeOfSubscription(id)), id, serial, rev }
    this.checks.set(`u ${id}`, { list: "k_subscription", row })
  }

  /** What is not there might be elsewhere: nobody may have placed it meanwhile. */
  #checkPlace(home: Home): void {
    if (!mayBePlaced(home) || this.#sources.layer.trees.has(home)) return
    const row = {
      url: home,
      tree: this.#found(() => this.#sources.facts.places.get(home), { kind: "entities", name: home }),
    }
    this.keys.add(`h ${home}`)
    this.checks.set(`h ${home}`, { list: "k_place", row })
  }

  #touch(kind: string, name: string, home: Home): void {
    this.keys.add(`${kind} ${name}`)
    this.homes.add(home)
  }

  #pathOf(stream: number): string {
    const path = this.pathOf.get(stream)
    if (path === undefined) throw new Error(`nobody has looked at the stream ${stream}`)
    return path
  }

  /** Of a stream of which the database knows all that there is. */
  #settledPath(stream: number): string {
    const path = this.#pathOf(stream)
    if (this.#sources.layer.streams.has(path)) throw new Deferred()
    return path
  }

  #found<T>(look: () => T | undefined, need: Need): T {
    const known = look()
    if (known !== undefined) return known
    const recalled = this.#sources.recall(need) ? look() : undefined
    if (recalled === undefined) throw new Missing([need])
    return recalled
  }
}
