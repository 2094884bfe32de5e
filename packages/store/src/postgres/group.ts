import { RouseError, entityStreamPath } from "@rouse/protocol"
import type { EncodedCommit } from "../core/encoded.ts"
import { homeOfEntity, homeOfStream, homeOfSubscription, numberOf } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import type { SpaceTableWrite } from "../core/space-state.ts"
import { planCommit } from "../core/plan.ts"
import type { Plan } from "../core/plan.ts"
import type { ApplyList } from "./apply-lists.ts"
import { BatchWrites } from "./batch-writes.ts"
import type { ListItem } from "./encode-lists.ts"
import type { Change, Places } from "./write-rows.ts"
import { observationKey } from "./facts.ts"
import type { EntityFact, StreamFact } from "./facts.ts"
import { dropsOf, noteWrite, revisedBy } from "./group-notes.ts"
import { GroupView } from "./group-view.ts"
import type { Check, GroupSources } from "./group-view.ts"
import { observationChanges } from "./observation-batch.ts"
import { Parts } from "./parts.ts"

/** What a commit comes to, if what it was planned on holds. */
export type Planned = { readonly ok: true; readonly plan: Plan } | { readonly ok: false; readonly error: RouseError }

/** A group as the database takes it. */
export interface Batch {
  readonly rows: ReadonlyMap<ApplyList, readonly ListItem[]>
  readonly locks: readonly number[]
  /** Those of `locks` that need not exclude their like. */
  readonly shared: readonly number[]
}

/**
 * Plans a group of commits, one after the other, each on what those before it leave; and makes one call of them.
 *
 * 1. Whatever a plan looked at is checked behind the locks, a refusal's too: nobody is refused for what is no longer so.
 * 2. Commits that looked at or changed the same thing are one part: it is done whole or left out whole.
 */
export class Group {
  readonly #sources: GroupSources
  readonly #checks = new Map<string, { readonly commit: number; readonly check: Check }>()
  readonly #parts = new Parts()
  readonly #homes = new Set<Home>()
  /** Homes of which it only matters that nobody observes them. */
  readonly #shared = new Set<Home>()
  /** Paths whose observers were looked at, with the commits that did. */
  readonly seen: Map<string, number[]> = new Map()
  readonly #seenChecks = new Map<string, Check>()
  readonly #writes = new BatchWrites()
  readonly planned: Map<number, Planned> = new Map()

  constructor(sources: GroupSources) {
    this.#sources = sources
  }

  /**
   * @param index Of the commit in the group.
   * @throws {Error} `Missing`: something must be looked up first. `Deferred`: it cannot be in a group with those before it.
   */
  plan(index: number, commit: EncodedCommit): void {
    const view = new GroupView(this.#sources)
    const placed = this.#place(commit, view)
    this.#prepareForks(commit)
    const planned = planOf(commit, view)
    const homes = planned.ok ? this.#write(index, planned.plan, view, placed) : []
    this.planned.set(index, planned)
    for (const key of view.keys) this.#parts.touch(index, key)
    for (const [key, check] of view.checks) {
      if (!this.#checks.has(key)) this.#checks.set(key, { commit: index, check })
    }
    for (const home of [...view.homes, ...homes]) this.#homes.add(home)
    for (const [path, check] of view.observations.seen) {
      this.#shared.add(homeOfStream(path))
      this.#seenChecks.set(path, check)
      this.seen.set(path, [...(this.seen.get(path) ?? []), index])
    }
  }

  partOf(index: number): number {
    return this.#parts.partOf(index)
  }

  /** The part that looked at or changed something; undefined when none did. */
  partOfKey(key: string): number | undefined {
    return this.#parts.partOfKey(key)
  }

  get sources(): GroupSources {
    return this.#sources
  }

  batch(): Batch {
    const partOf = (commit: number): number => this.#parts.partOf(commit)
    const { facts, layer } = this.#sources
    const rows = this.#writes.rows(
      partOf,
      this.#places(undefined, new GroupView(this.#sources)),
      (path) => changeOf<StreamFact>(facts.streams.get(path), layer.streams.get(path)),
      (url) => changeOf<EntityFact>(facts.entities.get(url), layer.entities.get(url)),
    )
    const add = (part: number, check: Check): void => {
      const known = rows.get(check.list)
      const item = { part, row: check.row }
      if (known === undefined) rows.set(check.list, [item])
      else known.push(item)
    }
    for (const { commit, check } of this.#checks.values()) add(partOf(commit), check)
    for (const [path, check] of this.#seenChecks) {
      for (const part of new Set(this.seen.get(path)?.map(partOf))) add(part, check)
    }
    return { rows, ...this.#locks() }
  }

  #locks(): Pick<Batch, "locks" | "shared"> {
    const own = new Set([...this.#homes].map((home) => numberOf(home)))
    const shared = [...this.#shared].map((home) => numberOf(home)).filter((number) => !own.has(number))
    return { locks: [...new Set([...own, ...shared])].sort((a, b) => a - b), shared: [...new Set(shared)] }
  }

  /** A new entity that another spawned lives where that one does. */
  #place(commit: EncodedCommit, view: GroupView): readonly string[] {
    const placed: string[] = []
    for (const op of commit.ops) {
      if (op.op !== "putEntity" || op.record.parent === null) continue
      const { url, parent } = op.record
      if (this.#sources.layer.trees.has(url) || view.trees.has(url) || view.placeOf(url) !== null) continue
      if (view.entity(url) !== undefined || view.stream(entityStreamPath(url)) !== undefined) continue
      const tree = view.treeOf(homeOfEntity(parent))
      if (tree === numberOf(url)) continue
      view.trees.set(url, tree)
      placed.push(url)
    }
    return placed
  }

  /** A fork's identity is above its source's. */
  #prepareForks(commit: EncodedCommit): void {
    for (const op of commit.ops) {
      if (op.op !== "forkStream") continue
      const source = this.#sources.layer.streams.get(op.source) ?? this.#sources.facts.streams.get(op.source)
      if (source?.state !== undefined) this.#sources.ids.keepAbove(source.state.id)
    }
  }

  /** Returns the homes that the writes touch beyond those that the plan looked at. */
  #write(index: number, plan: Plan, view: GroupView, placed: readonly string[]): Home[] {
    if (!plan.applied) return []
    const { layer } = this.#sources
    const drops = dropsOf(plan.writes, layer, this.#sources.facts)
    const observed = observationChanges(plan, layer, this.#sources.facts)
    for (const url of placed) {
      const tree = view.trees.get(url) as number
      layer.trees.set(url, tree)
      this.#writes.place(index, url, tree)
    }
    const places = this.#places(plan, view)
    const revised = new Set<string>()
    const homes: Home[] = []
    const notes = {
      layer,
      facts: this.#sources.facts,
      writes: this.#writes,
      treeOf: (home: Home) => view.treeOf(home),
    }
    for (const write of plan.writes) {
      if (write.kind === "insertStream") view.pathOf.set(write.state.id, write.state.path)
      this.#writes.do(index, write, places)
      const path = revisedBy(write, view)
      if (path !== undefined) revised.add(path)
      homes.push(...noteWrite(index, write, view, drops, notes))
      if (write.kind === "space") this.#noteSpace(index, write.write, view)
    }
    for (const path of revised) this.#writes.streamChanged(index, path)
    this.#keepStates(index, plan, revised, view)
    for (const path of this.#writes.observations.note(index, plan, observed, layer)) {
      view.keys.add(`p ${path}`)
      homes.push(homeOfStream(path))
    }
    for (const url of observed.blind) {
      const serials = this.#sources.facts.observing.get(url)?.map(({ serial }) => serial)
      view.checks.set(`b ${url}`, { list: "k_observing", row: { url, serials: serials?.join(",") } })
    }
    for (const { after } of observed.changes) {
      if (after !== undefined) view.keys.add(`o ${observationKey(after.url, after.name)}`)
    }
    return homes
  }

  #noteSpace(index: number, write: SpaceTableWrite, view: GroupView): void {
    const path = view.pathOf.get(write.kind === "putSpace" ? write.state.stream : write.stream)
    if (path === undefined) throw new Error("nobody has looked at the stream of a space")
    const { layer, facts } = this.#sources
    this.#writes.spaces.do(index, write, view.treeOf(homeOfStream(path)), path, layer, facts)
  }

  #keepStates(index: number, plan: Plan, revised: ReadonlySet<string>, view: GroupView): void {
    const { layer, facts } = this.#sources
    for (const [path, state] of plan.view.streams) {
      const before = layer.streams.get(path) ?? facts.streams.get(path)
      const isRevised = revised.has(path)
      if (before?.state === state && !isRevised) continue
      const isNew = state !== undefined && before?.state?.id !== state.id
      const tree = view.treeOf(homeOfStream(path))
      layer.streams.set(path, { state, tree, rev: isNew ? 0 : (before?.rev ?? 0) + Number(isRevised) })
      if (state === undefined) this.#writes.streamChanged(index, path)
    }
    for (const [url, state] of plan.view.entities) {
      const before = layer.entities.get(url) ?? facts.entities.get(url)
      if (before?.state === state) continue
      layer.entities.set(url, { state, tree: view.treeOf(homeOfEntity(url)) })
    }
    const touched = plan.view.touchedSubscriptions
    if (touched === undefined) return
    for (const [id, state] of touched.subscriptions) layer.subscriptions.set(id, state)
    for (const [path, links] of touched.subscribed) layer.links.set(path, links)
  }

  /** Where the things are that a plan's writes name by number. */
  #places(plan: Plan | undefined, view: GroupView): Places {
    const { layer, facts } = this.#sources
    const streams = new Map<number, string>()
    const entities = new Map<number, string>()
    if (plan !== undefined) {
      for (const [path] of plan.view.streams) {
        const known = layer.streams.get(path) ?? facts.streams.get(path)
        if (known?.state !== undefined) streams.set(known.state.id, path)
      }
      for (const write of plan.writes) {
        if (write.kind === "insertStream") streams.set(write.state.id, write.state.path)
        if (write.kind === "putEntity") entities.set(write.next.id, write.next.url)
      }
      for (const [url] of plan.view.entities) {
        const known = layer.entities.get(url) ?? facts.entities.get(url)
        if (known?.state !== undefined) entities.set(known.state.id, url)
      }
    }
    const treeOf = (home: Home): number => view.treeOf(home)
    return {
      treeOf,
      streamTree: (id) => (streams.has(id) ? treeOf(homeOfStream(streams.get(id) as string)) : undefined),
      entityTree: (id) => (entities.has(id) ? treeOf(entities.get(id) as string) : undefined),
      subscriptionTree: (serial) => this.#subscriptionTree(serial),
    }
  }

  #subscriptionTree(serial: number): number | undefined {
    const { facts } = this.#sources
    for (const [id, { state }] of facts.subscriptions) {
      if (state?.serial === serial) return numberOf(homeOfSubscription(id))
    }
    for (const links of facts.links.values()) {
      for (const link of links) if (link.serial === serial) return numberOf(homeOfSubscription(link.id))
    }
    return undefined
  }
}

function changeOf<T>(before: T | undefined, after: T | undefined): Change<T> {
  return { before, after: after ?? before }
}

/** Only a refusal is an outcome. */
function planOf(commit: EncodedCommit, view: GroupView): Planned {
  try {
    return { ok: true, plan: planCommit(commit, view) }
  } catch (error) {
    if (!RouseError.is(error)) throw error
    return { ok: false, error }
  }
}
