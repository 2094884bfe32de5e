import {
  type ApprovalRow,
  type BundleEntity,
  entityUrl,
  type EntityUrl,
  type Imported,
  isEntityId,
  type Json,
  type JsonObject,
  parseEntityUrl,
  RouseError,
  type Row,
  type ScheduleRow,
} from "@rouse/protocol"
import { liveOf, renamedIn } from "@rouse/protocol/fork"
import type { WorkItem } from "@rouse/store"
import { armDeadline } from "../approval/ask.ts"
import { approvalOp } from "../core/approval-list.ts"
import { canonicalJson } from "../core/canonical.ts"
import { type Control, withControl } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import { entityRow } from "../core/entity-row.ts"
import { newId } from "../core/id.ts"
import { importedControl } from "../core/import-control.ts"
import { dueOf, workId, type WorkPayload } from "../core/work-item.ts"
import { stateOf } from "../fork/past-state.ts"
import type { Plane } from "../plane.ts"
import { rearm } from "../schedules.ts"
import { transactAndRouse } from "../rouse.ts"
import type { Planning } from "../transactor.ts"
import { workTimer } from "../work/settle.ts"
import { askedIn, askName, awaitAgain, waitingAsks } from "./asks.ts"
import { digestOf } from "./export.ts"
import { type Arrived, Incoming } from "./incoming.ts"

export interface ImportOptions {
  /** The root's new address. */
  readonly as?: EntityUrl
  /** What was under way goes on at once; it is paused otherwise. */
  readonly run: boolean
}

/**
 * Makes the entities of a bundle, all of them in one commit, or none.
 *
 * @throws {RouseError} `BAD_REQUEST` for a bundle that is damaged, cut off or another's; `ALREADY_EXISTS`; `UNKNOWN_TYPE`; `TOO_LARGE`.
 * @see docs/export.md
 */
export async function importBundle(
  plane: Plane,
  lines: AsyncIterable<Buffer>,
  options: ImportOptions,
): Promise<Imported> {
  const incoming: Incoming = new Incoming(plane, newId(plane.clock(), plane.random), (url) =>
    url === incoming.head?.root ? (options.as ?? url) : url,
  )
  try {
    for await (const line of lines) await incoming.add(line)
    if (!incoming.isDone) throw new RouseError("BAD_REQUEST", "the bundle was cut off: it has no end")
    const imported = await commit(plane, incoming, options)
    plane.dueAt(plane.clock())
    return imported
  } catch (error) {
    await incoming
      .undo()
      .catch((cause: unknown) => plane.log.warn("what was imported in part is left behind", { error: String(cause) }))
    throw error
  }
}

async function commit(plane: Plane, incoming: Incoming, { as, run }: ImportOptions): Promise<Imported> {
  const renamed = rename(incoming.arrived, as)
  const all = await Promise.all(incoming.arrived.map((one) => rowsIn(plane, one)))
  const urls = incoming.arrived.map(({ entity }) => renamed.get(entity.url) ?? entity.url)
  for (const url of urls) plane.types.need(parseEntityUrl(url)?.type ?? "", url)
  const arrived = new Set(incoming.arrived.map(({ entity }) => entity.url))
  const terms = { renamed, arrived, asked: askedIn(incoming.arrived.map(({ entity }) => entity)), run }
  const parents = incoming.arrived.flatMap(({ entity: { parent } }) =>
    parent === null ? [] : [renamed.get(parent) ?? parent],
  )
  const { value } = await transactAndRouse(plane, [...new Set([...urls, ...parents])], (planning) => {
    for (const url of urls)
      if (planning.entity(url)) throw new RouseError("ALREADY_EXISTS", `${url} exists; purge it, or import as another`)
    const made = incoming.arrived.map((one, i) => planOne(plane, planning, one, all[i] ?? [], terms))
    for (const op of incoming.drop()) planning.draft.also(op)
    return made
  })
  return {
    entities: Object.fromEntries(incoming.arrived.map(({ entity }, i) => [entity.url, urls[i] ?? entity.url])),
    paused: value.filter(({ record }) => record.status === "paused").map(({ url }) => url),
    rows: all.reduce((sum, rows) => sum + rows.length, 0),
  }
}

/** @throws {RouseError} `BAD_REQUEST` for an address of another type. */
function rename([root]: readonly Arrived[], as: EntityUrl | undefined): ReadonlyMap<EntityUrl, EntityUrl> {
  if (as === undefined || root === undefined || as === root.entity.url) return new Map()
  const [from, to] = [parseEntityUrl(root.entity.url), parseEntityUrl(as)]
  if (to === undefined || !isEntityId(to.id) || to.type !== from?.type)
    throw new RouseError("BAD_REQUEST", `as: "${as}" must be an address of the type ${from?.type ?? ""}`)
  return new Map([[root.entity.url, entityUrl(to.type, to.id)]])
}

/** The live rows of the log that came in: they must be those that were exported. */
async function rowsIn(plane: Plane, { entity, path, offset, rows }: Arrived): Promise<readonly Row[]> {
  const live = liveOf((await stateOf(plane, path, offset)).rows())
  const { count, sha256 } = digestOf(live)
  if (count !== rows.count || sha256 !== rows.sha256)
    throw new RouseError("BAD_REQUEST", `rows: ${entity.url} comes to other rows than were exported`)
  return live
}

interface Terms {
  readonly renamed: ReadonlyMap<EntityUrl, EntityUrl>
  /** Those of the bundle, by the addresses that it has. */
  readonly arrived: ReadonlySet<EntityUrl>
  /** The questions that one of them will answer. */
  readonly asked: ReadonlySet<string>
  readonly run: boolean
}

function planOne(plane: Plane, planning: Planning, one: Arrived, rows: readonly Row[], terms: Terms): EntityDraft {
  const entity = begin(planning, one.entity, terms)
  entity.forkLog(one.path, one.offset)
  for (const row of rows) takeOver(entity, row, terms)
  announce(
    entity,
    rows.find((row) => row.collection === "entity"),
  )
  for (const op of one.attachments) entity.also(op)
  for (const id of waitingAsks(rows, one.work)) awaitAgain(entity, id, terms.asked.has(askName(one.entity.url, id)))
  for (const item of one.work) workAgain(plane, entity, item as unknown as WorkItem, one.entity.url)
  return entity
}

function begin(planning: Planning, entity: BundleEntity, { renamed, arrived, run }: Terms): EntityDraft {
  const url = renamed.get(entity.url) ?? entity.url
  const { type, id } = parseEntityUrl(url) as { readonly type: string; readonly id: string }
  const { nowMs } = planning.draft
  const above = entity.parent === null ? null : (renamed.get(entity.parent) ?? entity.parent)
  const parent = above !== null && planning.entity(above) ? above : null
  const control = importedControl(entity.control as unknown as Control, {
    renamed,
    arrived,
    run,
    nowMs,
    hasParent: parent !== null,
  })
  const args = renamedIn(entity.args, { renamed }) as JsonObject
  const base = {
    url,
    type,
    id,
    args,
    tags: entity.tags,
    parent,
    epoch: 0,
    status: "idle" as const,
    dueAtMs: null,
    activeAtMs: nowMs,
  }
  return planning.draft.create(
    withControl({ ...base, createdAtMs: Date.parse(entity.createdAt), control: {} }, control),
  )
}

/** Its own row: as the log has it, unless it is another now. */
function announce(entity: EntityDraft, before: Row | undefined): void {
  const { status } = entity.record
  const { phase } = entity.control.wake
  const isLive = status !== "paused" && status !== "stopped"
  const row = entityRow(entity.record, isLive ? "live" : status, phase.kind === "stopped" ? phase.reason : undefined)
  if (before && canonicalJson(before.value) === canonicalJson(row as unknown as Json)) return entity.inherit(before)
  if (before && before.key !== entity.url) entity.delete("entity", before.key)
  if (before?.key === entity.url) entity.update("entity", entity.url, row)
  else entity.insert("entity", entity.url, row)
}

/** A row as the log has it; or, where it names somebody who has another address now, changed. */
function takeOver(entity: EntityDraft, row: Row, terms: Terms): void {
  const { collection, value } = row
  if (collection === "entity") return
  // A message for later is known by its timer, which may be there: at another address it is left out.
  const isLater = collection === "schedule" && !(value as unknown as ScheduleRow).rule
  if (isLater && terms.renamed.size > 0) return entity.delete("schedule", row.key)
  const next = collection === "text" || collection === "reasoning" ? value : renamedIn(value, terms)
  const key = collection === "child" ? (terms.renamed.get(row.key) ?? row.key) : row.key
  if (next === value && key === row.key) entity.inherit(row)
  else {
    if (key !== row.key) entity.change({ type: collection, key: row.key, headers: { operation: "delete" } })
    entity.change({ type: collection, key, value: next, headers: { operation: key === row.key ? "update" : "insert" } })
  }
  if (collection === "schedule") rearm(entity, key, next as unknown as ScheduleRow)
  if (collection === "approval") askAgain(entity, key, next)
}

function askAgain(entity: EntityDraft, key: string, value: Json): void {
  const { status, deadline } = value as unknown as ApprovalRow
  if (status !== "waiting") return
  entity.also(approvalOp(entity.url, key, value))
  if (deadline !== undefined) armDeadline(entity, key, Date.parse(deadline))
}

/** A call with workers waits again; one that was claimed is looked at as one whose worker was lost. */
function workAgain(plane: Plane, entity: EntityDraft, item: WorkItem, before: EntityUrl): void {
  const payload = item.payload as unknown as WorkPayload
  const nowMs = plane.clock()
  const id = workId(entity.url, payload.call)
  if (item.url !== before) throw new RouseError("BAD_REQUEST", `work: ${item.id} is not of ${before}`)
  const next: WorkPayload = payload.claim === null ? payload : { ...payload, leaseUntilMs: nowMs }
  entity.also({ op: "putWork", item: { ...item, id, url: entity.url, payload: next as unknown as Json } })
  const dueAtMs = dueOf(next, item.open)
  if (dueAtMs !== undefined) entity.also({ op: "putTimer", timer: workTimer(id, entity.url, dueAtMs) })
}
