import { createHash } from "node:crypto"
import { type ChildRow, entityUrl, type EntityUrl, type Offset, RouseError, type Row } from "@rouse/protocol"
import type { EntityRecord, Op } from "@rouse/store"
import type { BackwardScan } from "../core/scan.ts"
import type { Plane } from "../plane.ts"
import { forkAttachments } from "./attachments.ts"
import { endOf, offsetAt, stateAt } from "./past-state.ts"

/** Entities in one fork: they are one commit. */
const TREE_MAX = 1_000
const ID_CHARS_MAX = 96

/** One entity that is forked. */
export interface ForkNode {
  readonly source: EntityRecord
  readonly at: Offset
  readonly state: BackwardScan
  readonly rows: readonly Row[]
  /** What gives the fork its attachments. */
  readonly attachments: readonly Op[]
  readonly url: EntityUrl
  readonly id: string
  /** The fork that it is a child of, and whether that is woken when a run ends; the root has none here. */
  readonly parent?: EntityUrl
  readonly wake: "finished" | "never"
}

/**
 * Reads who is to be forked: the entity, and with `tree` all below it as they were at that time.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`, `BAD_OFFSET`, `GONE`; `TOO_LARGE` for a tree of more than 1,000.
 */
export async function readTree(
  plane: Plane,
  root: { readonly source: EntityUrl; readonly at: Offset | undefined; readonly id: string; readonly tree: boolean },
): Promise<readonly ForkNode[]> {
  const record = await needRecord(plane, root.source)
  const at = root.at ?? (await endOf(plane, root.source))
  const state = await stateAt(plane, root.source, at)
  const url = entityUrl(record.type, root.id)
  const rows = state.rows()
  const attachments = await forkAttachments(plane, root.source, url, rows)
  const first: ForkNode = { source: record, at, state, rows, attachments, url, id: root.id, wake: "finished" }
  if (first.rows.length === 0) throw new RouseError("BAD_OFFSET", `at: ${root.source} did not exist yet at ${at}`)
  const nodes = [first]
  const timeMs = state.timeMs ?? plane.clock()
  if (root.tree) for (const node of nodes) nodes.push(...(await childrenOf(plane, node, first, timeMs, nodes.length)))
  return nodes
}

async function childrenOf(
  plane: Plane,
  parent: ForkNode,
  root: ForkNode,
  timeMs: number,
  known: number,
): Promise<readonly ForkNode[]> {
  const rows = parent.rows.filter((row) => row.collection === "child")
  if (known + rows.length > TREE_MAX)
    throw new RouseError("TOO_LARGE", `tree: ${root.source.url} has more than ${TREE_MAX} entities below it`)
  const children = await Promise.all(
    rows.map((row) => childOf(plane, row as unknown as Row<ChildRow>, parent, root, timeMs)),
  )
  return children.filter((child) => child !== undefined)
}

/** One that was removed, or that another made, is no child. */
async function childOf(
  plane: Plane,
  { key, value }: Row<ChildRow>,
  parent: ForkNode,
  root: ForkNode,
  timeMs: number,
): Promise<ForkNode | undefined> {
  const source = await plane.store.entity(key)
  if (source?.parent !== parent.source.url) return undefined
  const at = await offsetAt(plane, key, timeMs)
  if (at === undefined) return undefined
  const state = await stateAt(plane, key, at)
  const id = childId(source.id, root)
  const url = entityUrl(source.type, id)
  const rows = state.rows()
  const attachments = await forkAttachments(plane, key, url, rows)
  return { source, at, state, rows, attachments, url, id, parent: parent.url, wake: value.wake }
}

/** The same for the same fork, and another for each. */
function childId(id: string, root: ForkNode): string {
  const mark = createHash("sha256").update(`${root.url}\n${id}`).digest("hex").slice(0, 12)
  return `${id.slice(0, ID_CHARS_MAX)}~${mark}`
}

async function needRecord(plane: Plane, url: EntityUrl): Promise<EntityRecord> {
  const record = await plane.store.entity(url)
  if (!record) throw new RouseError("UNKNOWN_ENTITY", `there is no entity ${url}`)
  return record
}
