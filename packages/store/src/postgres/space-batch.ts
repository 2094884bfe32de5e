import type { QueuedRow, SpaceState, SpaceTableWrite } from "../core/space-state.ts"
import type { ApplyList } from "./apply-lists.ts"
import type { Facts } from "./facts.ts"
import { rowKey } from "./group-spaces.ts"
import type { Layer } from "./layer.ts"
import { queueName } from "./space-loader.ts"
import type { WriteRow } from "./write-rows.ts"

interface RowItem {
  commit: number
  readonly before: QueuedRow | undefined
  after: QueuedRow | undefined
}

interface SpaceItem {
  commit: number
  tree: number
  path: string
  /** As the database has it. */
  readonly origin: SpaceState | undefined
  state: SpaceState | undefined
  readonly rows: Map<string, RowItem>
}

interface BatchRow {
  readonly commit: number
  readonly list: ApplyList
  readonly row: WriteRow
}

/** The writes of a group's commits to spaces, reduced to what they leave. What a dropped space leaves is for sweeps. */
export class SpaceBatch {
  readonly #spaces = new Map<number, SpaceItem>()

  /**
   * Also tells the layer.
   *
   * @param path Of the space's stream.
   */
  do(commit: number, write: SpaceTableWrite, tree: number, path: string, layer: Layer, facts: Facts): void {
    const stream = write.kind === "putSpace" ? write.state.stream : write.stream
    const known = facts.spaces.get(path) ?? undefined
    const origin = known?.stream === stream ? known : undefined
    const state = layer.spaces.has(stream) ? layer.spaces.get(stream) : origin
    const item = this.#item(stream, { commit, tree, path, origin, state })
    item.commit = commit
    switch (write.kind) {
      case "putSpace":
        item.state = write.state
        break
      case "dropSpace":
        item.state = undefined
        item.rows.clear()
        break
      case "markSpace":
        if (item.state !== undefined) item.state = { ...item.state, forget: write.forget }
        break
      case "countRows":
        if (item.state !== undefined) item.state = { ...item.state, rows: item.state.rows + write.by }
        break
      case "putSpaceRow":
      case "dropSpaceRow":
        noteRow(commit, item, stream, write.old, write.kind === "putSpaceRow" ? write.next : undefined, layer)
    }
    layer.spaces.set(stream, item.state)
  }

  rows(): BatchRow[] {
    return [...this.#spaces].flatMap(([stream, item]) => {
      const { commit, tree, path, state, origin } = item
      const of = { tree, stream }
      const changes = [...item.rows.values()].flatMap((one) => rowsOf(one, of))
      if (state === undefined) return [{ commit, list: "w_space_drop" as const, row: of }]
      if (state === origin) return changes
      const { version, definition, createdAtMs, rows, forget } = state
      const text = JSON.stringify(definition)
      const row = { ...of, path, version, definition: text, created_at: createdAtMs, rows, forget }
      return [{ commit, list: "w_space" as const, row }, ...changes]
    })
  }

  #item(stream: number, made: Omit<SpaceItem, "rows">): SpaceItem {
    const known = this.#spaces.get(stream)
    if (known !== undefined) return known
    const item = { ...made, rows: new Map<string, RowItem>() }
    this.#spaces.set(stream, item)
    return item
  }
}

function noteRow(
  commit: number,
  item: SpaceItem,
  stream: number,
  before: QueuedRow | undefined,
  after: QueuedRow | undefined,
  layer: Layer,
): void {
  const row = (after ?? before)?.row
  if (row === undefined) return
  const key = rowKey(row.collection, row.key)
  const known = item.rows.get(key)
  const first = known === undefined ? before : known.before
  item.rows.set(key, { commit, before: first, after })
  const changes = layer.spaceRows.get(stream) ?? new Map()
  changes.set(key, { before: first?.row, after })
  layer.spaceRows.set(stream, changes)
}

function rowsOf({ commit, before, after }: RowItem, of: WriteRow): BatchRow[] {
  const known = (after ?? before)?.row
  if (known === undefined) return []
  const name = { ...of, collection: known.collection, key: known.key }
  const queues = [...queueRows(commit, before, after, of), ...indexRows(commit, before, after, name)]
  if (after === undefined) {
    return before === undefined ? queues : [{ commit, list: "w_space_row_drop", row: name }, ...queues]
  }
  const { value, version, made, done, token, holder, claim, freeAtMs, owner } = after.row
  const claimed = { ...name, done, token, holder, claim, free_at: freeAtMs }
  /** A claim leaves the value as it is. */
  if (before?.row.version === version) return [{ commit, list: "w_space_claim", row: claimed }, ...queues]
  return [{ commit, list: "w_space_row", row: { ...claimed, value, version, made, owner } }, ...queues]
}

function queueRows(
  commit: number,
  before: QueuedRow | undefined,
  after: QueuedRow | undefined,
  of: WriteRow,
): BatchRow[] {
  const placesOf = (queued: QueuedRow | undefined): Map<string, WriteRow> =>
    new Map(
      (queued?.queues ?? []).map((queue) => {
        const { collection, made, freeAtMs, key } = (queued as QueuedRow).row
        const row = { ...of, collection, queue: queueName(queue), free_at: freeAtMs, made }
        return [JSON.stringify(row), { ...row, key }]
      }),
    )
  const [old, next] = [placesOf(before), placesOf(after)]
  const dropped = [...old].filter(([place]) => !next.has(place))
  const added = [...next].filter(([place]) => !old.has(place))
  return [
    ...dropped.map(([, row]) => ({ commit, list: "w_queue_drop" as const, row })),
    ...added.map(([, row]) => ({ commit, list: "w_queue" as const, row })),
  ]
}

/** By which a condition finds rows, done or not. Every row is in the queue without a name. */
function indexRows(
  commit: number,
  before: QueuedRow | undefined,
  after: QueuedRow | undefined,
  name: WriteRow,
): BatchRow[] {
  if (before?.indexed === after?.indexed) return []
  const namesOf = (queued: QueuedRow | undefined): readonly string[] =>
    (queued?.indexed ?? []).filter((queue) => queue !== "").map(queueName)
  const [old, next] = [namesOf(before), namesOf(after)]
  const rowsWith = (
    list: "w_index_drop" | "w_index",
    queues: readonly string[],
    others: readonly string[],
  ): BatchRow[] =>
    queues.filter((queue) => !others.includes(queue)).map((queue) => ({ commit, list, row: { ...name, queue } }))
  return [...rowsWith("w_index_drop", old, next), ...rowsWith("w_index", next, old)]
}
