import { entityOfStream, entityStreamPath } from "@rouse/protocol"
import { STATES_MAX } from "../core/cache.ts"
import { numberOf } from "../core/home.ts"
import type { ProducerState } from "../core/producer.ts"
import { askedKey, observationKey, producerKey } from "./facts.ts"
import type { EntityFact, Facts, Need, StreamFact } from "./facts.ts"
import type { Group } from "./group.ts"
import { ObserverCache } from "./observer-cache.ts"

/** Text of an entity whose state is kept, in UTF-16 code units. */
const ENTITY_TEXT_MAX = 2_048

/** Entities that are known not to be there. The first of them are forgotten first. */
const ABSENT_MAX = 1_024

interface KnownStream {
  readonly fact: StreamFact
  /** As old as the fact, or younger. */
  readonly producers: Map<string, ProducerState | null>
}

/**
 * What this replica's commits left of streams and entities, so that the next commit need not look it up. Others may have changed it since: that is found
 * out when it is applied, and then it is forgotten here.
 */
export class FactCache {
  readonly #streams = new Map<string, KnownStream>()
  readonly #entities = new Map<string, EntityFact>()
  /** Addresses of which it is known that nothing is there. */
  readonly #absent = new Set<string>()
  readonly #observers = new ObserverCache()

  /**
   * The needs that are neither facts yet nor known here; the known ones become facts.
   *
   * @param asks Whether the database is asked for something anyway: then nothing is believed that it can tell.
   */
  missing(needs: readonly Need[], facts: Facts, asks: boolean): Need[] {
    const missing = new Map<string, Need>()
    const want = (need: Need): void => {
      const key = [need.kind, need.name, need.id, need.stream, need.position].join("\n")
      if ((missing.get(key)?.limit ?? -1) < (need.limit ?? 0)) missing.set(key, need)
    }
    const isObservers = ({ kind }: Need): boolean => kind === "observers"
    for (const need of needs) if (!isObservers(need) && !this.recall(need, facts)) want(need)
    for (const need of needs.filter(isObservers)) {
      const isAsked = asks || missing.size > 0
      if (isAsked ? !this.#observers.recall(need.name, facts) : !this.recall(need, facts)) want(need)
    }
    return [...missing.values()]
  }

  /** Takes over what a group left, of the parts that were done; forgets what the others were planned on. */
  keep(group: Group, isDone: (commit: number) => boolean): void {
    const { facts, layer } = group.sources
    const settle = (key: string): "keep" | "forget" | "leave" => {
      const part = group.partOfKey(key)
      return part === undefined ? "leave" : isDone(part) ? "keep" : "forget"
    }
    for (const path of new Set([...facts.streams.keys(), ...layer.streams.keys()])) {
      const fate = settle(`s ${path}`)
      const fact = layer.streams.get(path) ?? facts.streams.get(path)
      if (fate === "leave") continue
      if (fate === "forget" || fact?.state === undefined) this.#streams.delete(path)
      else put(this.#streams, path, { fact, producers: new Map() })
    }
    for (const producers of [facts.producers, layer.producers]) {
      for (const [key, state] of producers) {
        const path = key.slice(0, key.indexOf("\n"))
        if (producers === layer.producers || !layer.isNew(path)) {
          this.#streams.get(path)?.producers.set(key.slice(path.length + 1), state)
        }
      }
    }
    for (const url of new Set([...facts.entities.keys(), ...layer.entities.keys()])) {
      const fate = settle(`e ${url}`)
      const fact = layer.entities.get(url) ?? facts.entities.get(url)
      if (fate === "leave") continue
      this.#absent.delete(url)
      if (fate === "forget" || fact?.state === undefined || isLong(fact)) this.#entities.delete(url)
      else put(this.#entities, url, fact)
    }
    this.#observers.keep(group, isDone)
  }

  /** Another replica is known to have changed these, or their logs. */
  forget(urls: readonly string[]): void {
    for (const url of urls) {
      this.#entities.delete(url)
      this.#streams.delete(entityStreamPath(url))
      this.#absent.delete(url)
    }
  }

  /**
   * Takes over what a read found of an entity and its log, so that the commit that follows need not look them up. What is known already may be
   * younger, and stays.
   */
  learn(url: string, entity: EntityFact, log: StreamFact): void {
    const path = entityStreamPath(url)
    if (this.#entities.has(url) || this.#streams.has(path) || isLong(entity) || hasSource(log)) return
    put(this.#entities, url, entity)
    put(this.#streams, path, { fact: log, producers: new Map() })
    if (entity.state !== undefined && log.state !== undefined) return
    this.#absent.add(url)
    const [first] = this.#absent
    if (this.#absent.size > ABSENT_MAX && first !== undefined) this.forget([first])
  }

  clear(): void {
    this.#streams.clear()
    this.#entities.clear()
    this.#absent.clear()
    this.#observers.clear()
  }

  /** Whether a need is a fact, or known here and becomes one. */
  recall({ kind, name, id, stream, position }: Need, facts: Facts): boolean {
    switch (kind) {
      case "streams":
        return facts.streams.has(name) || this.#takeStream(name, facts)
      case "entities":
        return facts.entities.has(name) || this.#takeEntity(name, facts)
      case "producers":
        if (!facts.streams.has(name)) this.#takeStream(name, facts)
        return facts.producers.has(producerKey(name, id ?? ""))
      case "ends":
      case "afters":
        return facts[kind].has(`${stream} ${position}`)
      case "observers":
        return this.#observers.recall(name, facts) || this.#observers.believe(name, facts)
      case "observations":
        return facts.observations.has(observationKey(name, id ?? ""))
      case "spaceRows":
      case "occupied":
      case "claimable":
      case "held":
      case "heldCounts":
        return facts[kind].has(askedKey(name, id ?? ""))
      case "timers":
      case "receipts":
      case "works":
      case "subscriptions":
      case "links":
      case "pins":
      case "places":
      case "observing":
      case "spaces":
        return facts[kind].has(name)
    }
  }

  #takeStream(path: string, facts: Facts): boolean {
    const known = this.#streams.get(path)
    if (known === undefined) return false
    facts.streams.set(path, known.fact)
    for (const [id, state] of known.producers) facts.producers.set(producerKey(path, id), state)
    const home = entityOfStream(path)
    if (home !== undefined) placed(home, known.fact.tree, facts)
    return true
  }

  #takeEntity(url: string, facts: Facts): boolean {
    const known = this.#entities.get(url)
    if (known === undefined) return false
    facts.entities.set(url, known)
    placed(url, known.tree, facts)
    return true
  }
}

function placed(home: string, tree: number, facts: Facts): void {
  facts.places.set(home, tree === numberOf(home) ? null : tree)
}

function isLong({ state }: EntityFact): boolean {
  return state !== undefined && state.record.args.length + state.record.tags.length > ENTITY_TEXT_MAX
}

/** What it was forked from would have to be known, too. */
function hasSource({ state }: StreamFact): boolean {
  return state !== undefined && state.fork !== null
}

function put<T>(states: Map<string, T>, key: string, state: T): void {
  if (states.size >= STATES_MAX && !states.has(key)) states.clear()
  states.set(key, state)
}
