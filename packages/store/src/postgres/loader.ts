import { entityOfStream, RouseError } from "@rouse/protocol"
import { homeOfEntity, homeOfReceipt, homeOfStream, homeOfSubscription, numberOf } from "../core/home.ts"
import { bytesOf } from "./bytes.ts"
import type { Connection } from "./connection.ts"
import { batchKey, observationKey, producerKey } from "./facts.ts"
import type { Facts, LinkFact, Need, ObservedPlace } from "./facts.ts"
import { treeOfObserved } from "./group-observations.ts"
import type { Ids } from "./ids.ts"
import type { OffloadedReader } from "./offload/offloaded-reader.ts"
import { askedOfSpaces, takeSpaces } from "./space-loader.ts"
import type { LoadedSpaces } from "./space-loader.ts"
import { entityOf, observationOf, parseFilter, sharedFilters, streamOf, subscriptionOf } from "./states.ts"
import type { Json, SqlRow } from "./states.ts"
import { SET_MOVED, SubscriptionSet } from "./subscription-set.ts"
import type { KnownSubscription } from "./subscription-set.ts"
import { refuseTooOld } from "./version.ts"

interface Loaded {
  readonly place: readonly { readonly url: string; readonly tree: number }[] | null
  readonly stream: readonly SqlRow[] | null
  readonly entity: readonly SqlRow[] | null
  readonly producer:
    | readonly { readonly path: string; readonly id: string; readonly epoch: number; readonly seq: number }[]
    | null
  readonly timer: readonly { readonly id: string; readonly tree: number; readonly url: string }[] | null
  readonly work:
    | readonly { readonly id: string; readonly tree: number; readonly url: string; readonly version: number }[]
    | null
  readonly receipt: readonly string[] | null
  readonly subscription: readonly SqlRow[] | null
  readonly link:
    | readonly {
        readonly path: string
        readonly acked: number
        readonly pending: boolean
        readonly explicit: boolean
        readonly of: SqlRow
      }[]
    | null
  readonly end: readonly { readonly stream: number; readonly tail: number }[] | null
  readonly after: readonly { readonly stream: number; readonly tail: number; readonly data: string | null }[] | null
  readonly pin: readonly { readonly stream: number; readonly position: number | null }[] | null
  readonly observation: readonly SqlRow[] | null
  readonly observer: readonly { readonly path: string; readonly of: readonly SqlRow[] | null }[] | null
  readonly observing: readonly ObservedPlace[] | null
  readonly space: LoadedSpaces | null
  readonly set: number
  readonly all: readonly SqlRow[] | null
  /** The oldest version that may run, where the set is another. */
  readonly least: number | null
  readonly ids: number | null
}

export interface LoaderParts {
  readonly connection: Connection
  readonly nonce: string
  readonly ids: Ids
  readonly old: OffloadedReader
  /** Of this Rouse. */
  readonly version: number
}

/** Looks facts up, all that are wanted at once. */
export class Loader {
  readonly #connection: Connection
  readonly #nonce: string
  readonly #ids: Ids
  readonly #old: OffloadedReader
  readonly #version: number

  constructor({ connection, nonce, ids, old, version }: LoaderParts) {
    this.#old = old
    this.#connection = connection
    this.#nonce = nonce
    this.#ids = ids
    this.#version = version
  }

  /** Adds to `facts` what the needs ask for. Returns the subscriptions that there are, the same object when they are. */
  async load(needs: readonly Need[], wantsIds: boolean, facts: Facts, set: SubscriptionSet): Promise<SubscriptionSet> {
    const loaded = await this.#ask(needs, wantsIds, facts, set)
    this.#takePlaces(needs, loaded, facts)
    this.#takeStates(needs, loaded, facts)
    takeRest(needs, loaded, facts)
    await this.#takeOld(needs, facts)
    takeObservations(needs, loaded, facts)
    takeSpaces(needs, loaded.space, facts)
    if (loaded.ids !== null) this.#ids.refill(loaded.ids)
    if (loaded.set === set.version) return set
    if (loaded.set === SET_MOVED) throw this.#moved()
    refuseTooOld(loaded.least ?? 0, this.#version, this.#connection.where)
    return new SubscriptionSet(loaded.set, (loaded.all ?? []).map(knownOf))
  }

  async #ask(needs: readonly Need[], wantsIds: boolean, facts: Facts, set: SubscriptionSet): Promise<Loaded> {
    const text = (kind: Need["kind"], rowOf: (need: Need) => Json): string | null => {
      const rows = needs.filter((need) => need.kind === kind).map(rowOf)
      return rows.length === 0 ? null : JSON.stringify(rows)
    }
    const of = (path: string): { readonly [key: string]: Json } => ({
      path,
      home: entityOfStream(path) ?? null,
      tree: numberOf(homeOfStream(path)),
    })
    const batch = ({ name, stream, position }: Need): Json => ({
      tree: facts.streams.get(name)?.tree ?? numberOf(homeOfStream(name)),
      stream: stream ?? 0,
      tail: position ?? 0,
      path: name,
    })
    const values = [
      text("streams", ({ name }) => of(name)),
      text("entities", ({ name }) => ({ url: name, home: name, tree: numberOf(homeOfEntity(name)) })),
      text("producers", ({ name, id }) => ({ ...of(name), id: id ?? "" })),
      text("timers", ({ name }) => ({ id: name })),
      text("receipts", ({ name }) => ({ tree: numberOf(homeOfReceipt(name)), key: name })),
      text("works", ({ name }) => ({ id: name })),
      text("subscriptions", ({ name }) => ({ tree: numberOf(homeOfSubscription(name)), id: name })),
      text("links", ({ name }) => ({ path: name })),
      text("ends", batch),
      text("afters", batch),
      text("pins", batch),
      text("observations", ({ name, id }) => ({ url: name, name: id ?? "" })),
      text("observers", ({ name }) => ({ path: name, tree: treeOfObserved(name) })),
      text("observing", ({ name }) => ({ url: name })),
      askedOfSpaces(needs, of),
      set.version,
      wantsIds,
    ]
    return (await this.#connection.valueOf("load_1", values)) as Loaded
  }

  /** A batch that is not in the database may be in the bucket: a fork or a trim may begin there. */
  async #takeOld(needs: readonly Need[], facts: Facts): Promise<void> {
    for (const { kind, name, stream = 0, position = 0 } of needs) {
      const key = batchKey(stream, position)
      const tree = facts.streams.get(name)?.tree ?? numberOf(homeOfStream(name))
      if (kind === "ends" && facts.ends.get(key) === false) {
        facts.ends.set(key, await this.#old.endsAt(tree, stream, position))
      } else if (kind === "afters") {
        const [first] = await this.#old.after(tree, stream, position, position)
        if (first !== undefined) facts.afters.set(key, first.data)
      }
    }
  }

  #moved(): RouseError {
    const { where } = this.#connection
    return new RouseError("STORE_MOVED", `${where} was moved elsewhere while this server ran on it`, {
      details: { where },
    })
  }

  #takePlaces(needs: readonly Need[], loaded: Loaded, facts: Facts): void {
    const homes = needs.flatMap(({ kind, name }) =>
      kind === "streams" ? (entityOfStream(name) ?? []) : kind === "entities" ? name : [],
    )
    for (const home of homes) facts.places.set(home, null)
    for (const { url, tree } of loaded.place ?? []) facts.places.set(url, tree)
  }

  #takeStates(needs: readonly Need[], loaded: Loaded, facts: Facts): void {
    const treeOf = (home: string): number => facts.places.get(home) ?? numberOf(home)
    for (const { kind, name } of needs) {
      if (kind === "streams") facts.streams.set(name, { state: undefined, tree: treeOf(homeOfStream(name)), rev: 0 })
      if (kind === "entities") facts.entities.set(name, { state: undefined, tree: treeOf(homeOfEntity(name)) })
    }
    for (const row of loaded.stream ?? []) {
      const state = streamOf(row, this.#nonce)
      if (facts.streams.get(state.path)?.state !== undefined) forgetProducers(facts, state.path)
      facts.streams.set(state.path, { state, tree: Number(row["tree"]), rev: Number(row["rev"]) })
      const home = entityOfStream(state.path)
      const tree = Number(row["tree"])
      if (home !== undefined && !facts.places.has(home)) facts.places.set(home, tree === numberOf(home) ? null : tree)
    }
    for (const row of loaded.entity ?? []) {
      const state = entityOf(row)
      facts.entities.set(state.url, { state, tree: Number(row["tree"]) })
    }
  }
}

/** What is known of a stream's producers is as old as what was known of the stream. */
function forgetProducers(facts: Facts, path: string): void {
  for (const key of facts.producers.keys()) if (key.startsWith(`${path}\n`)) facts.producers.delete(key)
}

function knownOf(row: SqlRow): KnownSubscription {
  return {
    serial: Number(row["serial"]),
    id: row["id"] as string,
    pattern: row["pattern"] as string | null,
    wakeStream: row["wake_stream"] as string | null,
  }
}

function takeRest(needs: readonly Need[], loaded: Loaded, facts: Facts): void {
  for (const need of needs) takeAbsent(need, facts)
  for (const { path, id, epoch, seq } of loaded.producer ?? [])
    facts.producers.set(producerKey(path, id), { epoch, seq })
  for (const { id, tree, url } of loaded.timer ?? []) facts.timers.set(id, { tree, url })
  for (const { id, ...fact } of loaded.work ?? []) facts.works.set(id, fact)
  for (const key of loaded.receipt ?? []) facts.receipts.set(key, true)
  for (const row of loaded.subscription ?? []) {
    const state = subscriptionOf(row)
    facts.subscriptions.set(state.id, { state, rev: Number(row["rev"]) })
  }
  for (const { path, of, ...link } of loaded.link ?? []) {
    const state = subscriptionOf(of)
    facts.subscriptions.set(state.id, { state, rev: Number(of["rev"]) })
    const fact: LinkFact = { ...link, path, linked: true, serial: state.serial, id: state.id, rev: Number(of["rev"]) }
    facts.links.set(path, [...(facts.links.get(path) ?? []), fact])
  }
  for (const { stream, tail } of loaded.end ?? []) facts.ends.set(batchKey(stream, tail), true)
  for (const { stream, tail, data } of loaded.after ?? []) {
    facts.afters.set(batchKey(stream, tail), data === null ? null : bytesOf(data))
  }
  for (const { stream, position } of loaded.pin ?? []) {
    const need = needs.find((one) => one.kind === "pins" && one.stream === stream)
    if (need !== undefined) facts.pins.set(need.name, position)
  }
}

function takeObservations(needs: readonly Need[], loaded: Loaded, facts: Facts): void {
  for (const { kind, name } of needs) {
    if (kind === "observing") {
      const places = (loaded.observing ?? []).filter(({ url }) => url === name)
      facts.observing.set(name, places)
    }
  }
  for (const row of loaded.observation ?? []) {
    const state = observationOf(row, parseFilter)
    facts.observations.set(observationKey(state.url, state.name), { state, rev: Number(row["rev"]) })
  }
  const filterOf = sharedFilters()
  for (const { path, of } of loaded.observer ?? []) {
    const states = (of ?? []).map((row) => observationOf(row, filterOf))
    const rev = (of ?? []).reduce((newest, row) => Math.max(newest, Number(row["rev"])), 0)
    facts.observers.set(path, { states, count: states.length, rev })
  }
}

/** What is not found is known to be absent. */
function takeAbsent({ kind, name, id, stream, position }: Need, facts: Facts): void {
  switch (kind) {
    case "producers":
      facts.producers.set(producerKey(name, id ?? ""), null)
      return
    case "timers":
      facts.timers.set(name, null)
      return
    case "works":
      facts.works.set(name, null)
      return
    case "receipts":
      facts.receipts.set(name, false)
      return
    case "subscriptions":
      facts.subscriptions.set(name, { state: undefined, rev: 0 })
      return
    case "links":
      facts.links.set(name, [])
      return
    case "ends":
      facts.ends.set(batchKey(stream ?? 0, position ?? 0), false)
      return
    case "afters":
      facts.afters.set(batchKey(stream ?? 0, position ?? 0), null)
      return
    case "observations":
      facts.observations.set(observationKey(name, id ?? ""), { state: undefined, rev: 0 })
      return
    case "observers":
    case "observing":
    case "spaces":
    case "spaceRows":
    case "occupied":
    case "claimable":
    case "held":
    case "heldCounts":
    case "pins":
    case "streams":
    case "entities":
    case "places":
  }
}
