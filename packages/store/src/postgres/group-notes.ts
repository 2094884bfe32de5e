import { homeOfEntity, homeOfReceipt, homeOfSecret, homeOfStream } from "../core/home.ts"
import type { Home } from "../core/home.ts"
import type { Write } from "../core/write.ts"
import type { BatchWrites } from "./batch-writes.ts"
import { Missing, producerKey } from "./facts.ts"
import type { Facts } from "./facts.ts"
import type { GroupView } from "./group-view.ts"
import type { Layer } from "./layer.ts"

/** Where the timers and the work are that a plan drops. */
export interface Drops {
  readonly timers: ReadonlyMap<string, number>
  readonly works: ReadonlyMap<string, number>
}

/**
 * To be asked before anything is taken over from a plan.
 *
 * @throws {Missing} nobody has looked where they are.
 */
export function dropsOf(writes: readonly Write[], layer: Layer, facts: Facts): Drops {
  const timers = new Map<string, number>()
  const works = new Map<string, number>()
  for (const write of writes) {
    if (write.kind !== "dropTimer" && write.kind !== "dropWork") continue
    const kind = write.kind === "dropTimer" ? "timers" : "works"
    const known = layer[kind].has(write.id) ? layer[kind].get(write.id) : facts[kind].get(write.id)
    if (known === undefined) throw new Missing([{ kind, name: write.id }])
    if (known !== null) (kind === "timers" ? timers : works).set(write.id, known.tree)
  }
  return { timers, works }
}

/** What a group's writes are noted in. */
export interface Notes {
  readonly layer: Layer
  readonly facts: Facts
  readonly writes: BatchWrites
  readonly treeOf: (home: Home) => number
}

/** Takes over what is no state of a plan's view. Returns the homes that the write touches. */
export function noteWrite(commit: number, write: Write, view: GroupView, drops: Drops, notes: Notes): Home[] {
  const { layer, writes } = notes
  if (write.kind === "insertStream") {
    layer.begins(write.state.path, write.state.id)
    return [homeOfStream(write.state.path)]
  }
  if (write.kind === "putProducer") {
    const path = view.pathOf.get(write.stream)
    if (path !== undefined) layer.producers.set(producerKey(path, write.claim.id), write.claim)
    return []
  }
  if (write.kind === "putLeaseSeq") {
    for (const [url, state] of view.entities) if (state.id === write.entity) writes.leaseSeq(commit, url)
    return []
  }
  if (write.kind === "dropEntity") {
    forgetBelongings(write.url, notes)
    return [homeOfEntity(write.url)]
  }
  if (write.kind === "putReceipt") {
    layer.receipts.add(write.receipt.key)
    view.keys.add(`r ${write.receipt.key}`)
    return [homeOfReceipt(write.receipt.key)]
  }
  if (write.kind === "subscription") {
    const { write: of } = write
    return of.kind === "putSecret" || of.kind === "dropSecret" ? [homeOfSecret(of.name)] : []
  }
  return [...noteTimer(commit, write, view, drops, notes), ...noteWork(commit, write, view, drops, notes)]
}

function noteTimer(
  commit: number,
  write: Write,
  view: GroupView,
  drops: Drops,
  { layer, writes, treeOf }: Notes,
): Home[] {
  if (write.kind === "putTimer") {
    const { id, url } = write.timer
    layer.timers.set(id, { tree: treeOf(url), url })
    view.keys.add(`t ${id}`)
    return [`t:${id}`, homeOfEntity(url)]
  }
  if (write.kind !== "dropTimer") return []
  const tree = drops.timers.get(write.id) ?? layer.timers.get(write.id)?.tree
  layer.timers.set(write.id, null)
  view.keys.add(`t ${write.id}`)
  if (tree !== undefined) writes.dropTimer(commit, write.id, tree)
  return [`t:${write.id}`]
}

function noteWork(
  commit: number,
  write: Write,
  view: GroupView,
  drops: Drops,
  { layer, writes, treeOf }: Notes,
): Home[] {
  if (write.kind === "putWork") {
    const { id, url } = write.item
    layer.works.set(id, { tree: treeOf(url), url, version: write.version })
    view.keys.add(`w ${id}`)
    return [`w:${id}`, homeOfEntity(url)]
  }
  if (write.kind !== "dropWork") return []
  const tree = drops.works.get(write.id) ?? layer.works.get(write.id)?.tree
  layer.works.set(write.id, null)
  view.keys.add(`w ${write.id}`)
  if (tree !== undefined) writes.dropWork(commit, write.id, tree)
  return [`w:${write.id}`]
}

function forgetBelongings(url: string, { layer, facts }: Notes): void {
  for (const timers of [facts.timers, layer.timers]) {
    for (const [id, timer] of timers) if (timer?.url === url) layer.timers.set(id, null)
  }
  for (const works of [facts.works, layer.works]) {
    for (const [id, work] of works) if (work?.url === url) layer.works.set(id, null)
  }
}

/** The stream whose row a write changes, beyond its tail. */
export function revisedBy(write: Write, view: GroupView): string | undefined {
  if (write.kind === "updateStream" || write.kind === "trimStream") return write.state.path
  return write.kind === "putPin" || write.kind === "dropPin" ? view.pathOf.get(write.stream) : undefined
}
