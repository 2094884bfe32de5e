import { homeOfReceipt, numberOf } from "../core/home.ts"
import type { Write } from "../core/write.ts"
import type { ApplyList } from "./apply-lists.ts"
import type { ListItem } from "./encode-lists.ts"
import type { EntityFact, StreamFact } from "./facts.ts"
import { ObservationBatch } from "./observation-batch.ts"
import { SpaceBatch } from "./space-batch.ts"
import { entityRows, streamRows, subscriptionRow } from "./write-rows.ts"
import type { Change, Places, WriteRow } from "./write-rows.ts"

interface Item {
  readonly commit: number
  readonly row: WriteRow
}

/**
 * The writes of a group, reduced to what they leave: of several writes of a row the last one counts, and what is dropped again is not written.
 * What several commits write has been put in one part of the group before.
 */
export class BatchWrites {
  readonly #chunks = new Map<number, Item[]>()
  readonly #producers = new Map<number, Map<string, Item>>()
  readonly #rows = new Map<number, Map<string, Item>>()
  readonly #timers = new Map<string, Item>()
  readonly #timersGone = new Map<string, Item>()
  readonly #works = new Map<string, Item>()
  readonly #worksGone = new Map<string, Item>()
  readonly #receipts = new Map<string, Item>()
  readonly #retention: (Item & { readonly stream: number })[] = []
  readonly #subscriptions: Item[] = []
  readonly #controls = new Map<string, { readonly commit: number; readonly control: string }>()
  /** Commit that last changed a stream or an entity. */
  readonly #streamCommits = new Map<string, number>()
  readonly #entityCommits = new Map<string, number>()
  readonly #placed: Item[] = []
  readonly observations: ObservationBatch = new ObservationBatch()
  readonly spaces: SpaceBatch = new SpaceBatch()

  place(commit: number, url: string, tree: number): void {
    this.#placed.push({ commit, row: { url, tree } })
  }

  streamChanged(commit: number, path: string): void {
    this.#streamCommits.set(path, commit)
  }

  do(commit: number, write: Write, places: Places): void {
    switch (write.kind) {
      case "insertStream":
      case "updateStream":
        this.#streamCommits.set(write.state.path, commit)
        return
      case "dropStream":
        this.#dropStream(write.id)
        return
      case "putChunk": {
        const tree = places.streamTree(write.stream)
        if (tree === undefined) return
        const row = { tree, stream: write.stream, tail: write.tail, data: write.data }
        listOf(this.#chunks, write.stream).push({ commit, row })
        return
      }
      case "putProducer": {
        const tree = places.streamTree(write.stream)
        if (tree === undefined) return
        mapOf(this.#producers, write.stream).set(write.claim.id, {
          commit,
          row: { tree, stream: write.stream, ...write.claim },
        })
        return
      }
      case "putRow":
        return this.#putRow(commit, write.entity, write.row, write.row.value, places)
      case "dropRow":
        return this.#putRow(commit, write.entity, write, null, places)
      case "putEntity":
        this.#entityCommits.set(write.next.url, commit)
        this.#controls.set(write.next.url, { commit, control: write.control })
        return
      case "putLeaseSeq":
        return
      case "dropEntity":
        this.#dropEntity(commit, write, places)
        return
      case "putTimer": {
        const { id, url, dueAtMs, payload } = write.timer
        const row = { tree: places.treeOf(url), id, due_at: dueAtMs, url, payload }
        this.#timers.set(id, { commit, row })
        return
      }
      case "dropTimer":
        return
      case "putWork": {
        const { item, version } = write
        this.#works.set(item.id, { commit, row: { tree: places.treeOf(item.url), ...item, version } })
        return
      }
      case "dropWork":
        return
      case "putReceipt": {
        const { key, fingerprint, response, expiresAtMs } = write.receipt
        const row = { tree: numberOf(homeOfReceipt(key)), key, fingerprint, response, expires_at: expiresAtMs }
        this.#receipts.set(key, { commit, row })
        return
      }
      case "putSnapshot":
      case "trimStream":
      case "putPin":
      case "dropPin":
        this.#retain(commit, write, places)
        return
      case "subscription":
        this.#subscriptions.push({ commit, row: subscriptionRow(write.write, places) })
        return
      case "observation":
      case "space":
    }
  }

  leaseSeq(commit: number, url: string): void {
    this.#entityCommits.set(url, commit)
  }

  /** @param tree Where it is. */
  dropTimer(commit: number, id: string, tree: number): void {
    this.#timers.set(id, { commit, row: { tree, id } })
  }

  /** @param tree Where it is. */
  dropWork(commit: number, id: string, tree: number): void {
    this.#works.set(id, { commit, row: { tree, id } })
  }

  /**
   * The rows of each list, with the part of the group that each belongs to.
   *
   * @param streams What each stream was before the group, if anything, and is after it.
   */
  rows(
    partOf: (commit: number) => number,
    places: Places,
    streams: (path: string) => Change<StreamFact>,
    entities: (url: string) => Change<EntityFact>,
  ): Map<ApplyList, ListItem[]> {
    const rows = new Map<ApplyList, ListItem[]>()
    const add = (list: ApplyList, { commit, row }: Item): void => {
      listOf(rows, list).push({ part: partOf(commit), row })
    }
    for (const item of this.#placed) add("w_place", item)
    for (const [path, commit] of this.#streamCommits) {
      const { before, after } = streams(path)
      for (const [list, row] of streamRows(path, before, after, places)) add(list, { commit, row })
    }
    for (const items of this.#chunks.values()) for (const item of items) add("w_chunk", item)
    for (const items of this.#producers.values()) for (const item of items.values()) add("w_producer", item)
    for (const item of this.#timersGone.values()) add("w_timer_gone", item)
    for (const item of this.#worksGone.values()) add("w_work_gone", item)
    for (const [url, commit] of this.#entityCommits) {
      const { before, after } = entities(url)
      for (const [list, row] of entityRows(url, before, after, this.#controls.get(url)?.control)) {
        add(list, { commit, row })
      }
    }
    for (const items of this.#rows.values()) {
      for (const item of items.values()) add(item.row["value"] === null ? "w_row_drop" : "w_row", item)
    }
    for (const item of this.#timers.values()) add("payload" in item.row ? "w_timer" : "w_timer_drop", item)
    for (const item of this.#works.values()) add("payload" in item.row ? "w_work" : "w_work_drop", item)
    for (const item of this.#receipts.values()) add("w_receipt", item)
    for (const item of this.#retention) add("w_retention", item)
    for (const item of this.#subscriptions) add("w_subscription", item)
    for (const { list, ...item } of [...this.observations.rows(), ...this.spaces.rows()]) add(list, item)
    return rows
  }

  #putRow(
    commit: number,
    entity: number,
    { collection, key }: { readonly collection: string; readonly key: string },
    value: string | null,
    places: Places,
  ): void {
    const tree = places.entityTree(entity)
    if (tree === undefined) return
    mapOf(this.#rows, entity).set(`${collection}\n${key}`, { commit, row: { tree, entity, collection, key, value } })
  }

  #dropStream(id: number): void {
    this.#chunks.delete(id)
    this.#producers.delete(id)
    for (let at = this.#retention.length - 1; at >= 0; at -= 1) {
      if (this.#retention[at]?.stream === id) this.#retention.splice(at, 1)
    }
  }

  #dropEntity(commit: number, { url, state }: Extract<Write, { readonly kind: "dropEntity" }>, places: Places): void {
    // They may have been there before the entity was placed.
    for (const tree of new Set([places.treeOf(url), numberOf(url)])) {
      this.#timersGone.set(`${tree} ${url}`, { commit, row: { tree, url } })
      this.#worksGone.set(`${tree} ${url}`, { commit, row: { tree, url } })
    }
    for (const [id, { row }] of this.#works) if (row["url"] === url) this.#works.delete(id)
    for (const [id, { row }] of this.#timers) if (row["url"] === url) this.#timers.delete(id)
    this.#controls.delete(url)
    this.#entityCommits.set(url, commit)
    if (state !== undefined) this.#rows.delete(state.id)
  }

  #retain(
    commit: number,
    write: Extract<Write, { readonly kind: "putSnapshot" | "trimStream" | "putPin" | "dropPin" }>,
    places: Places,
  ): void {
    const stream = "state" in write ? write.state.id : write.stream
    const tree = places.streamTree(stream)
    if (tree === undefined) return
    const common = { tree, stream }
    const row =
      write.kind === "putSnapshot"
        ? { kind: "snapshot", ...common, horizon: write.state.horizon, position: write.at, data: write.data }
        : write.kind === "trimStream"
          ? {
              kind: "trim",
              ...common,
              horizon: write.state.horizon,
              data: write.data,
            }
          : write.kind === "putPin"
            ? { kind: "pin", ...common, holder: write.holder, position: write.at }
            : { kind: "unpin", ...common, holder: write.holder }
    this.#retention.push({ commit, row, stream })
  }
}

function listOf<K, V>(lists: Map<K, V[]>, key: K): V[] {
  const known = lists.get(key)
  if (known !== undefined) return known
  const made: V[] = []
  lists.set(key, made)
  return made
}

function mapOf<V>(maps: Map<number, Map<string, V>>, key: number): Map<string, V> {
  const known = maps.get(key)
  if (known !== undefined) return known
  const made = new Map<string, V>()
  maps.set(key, made)
  return made
}
