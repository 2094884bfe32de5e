import {
  type Budget,
  type BudgetRow,
  type EntityRow,
  entityStreamPath,
  type EntityUrl,
  type Json,
  type JsonObject,
  type Principal,
  type Row,
  type ScheduleRow,
  type ScheduleRequest,
  type TagRow,
} from "@rouse/protocol"
import { type ForkedRows, forkRows, renamedIn } from "@rouse/protocol/fork"
import { spawnControl } from "../budgets.ts"
import { type Control, isoTime, newRecord } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import { entityRow } from "../core/entity-row.ts"
import { newId } from "../core/id.ts"
import { changeTags } from "../core/tags.ts"
import type { WakeState } from "../core/wake-state.ts"
import { deliver } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { planSchedules } from "../schedules.ts"
import type { Planning } from "../transactor.ts"
import type { ForkNode } from "./tree.ts"

/** What a fork is to be, beside its history. */
export interface ForkAs {
  readonly from: Principal
  /** The root's parent. */
  readonly parent: EntityUrl | null
  readonly message?: Json
  readonly run: boolean
  /** Whether the run that was open goes on. */
  readonly keepRun: boolean
  readonly tags: Readonly<Record<string, string>>
  readonly budget?: Budget
  readonly schedules: boolean
}

/** Adds a fork of one entity to a commit that is being planned. Its parent, if it has one, is part of the plan. */
export async function planNode(
  plane: Plane,
  planning: Planning,
  node: ForkNode,
  as: ForkAs,
  renamed: ReadonlyMap<EntityUrl, EntityUrl>,
): Promise<void> {
  const { nowMs } = planning.draft
  const isRoot = node.parent === undefined
  const message = isRoot ? as.message : undefined
  const goes = as.run || message !== undefined
  const forked = forkRows(node.rows, {
    source: node.source.url,
    keepRun: as.keepRun,
    keepWaiting: goes,
    wake: node.state.wake?.id,
    renamed,
    now: isoTime(nowMs),
  })
  const { fork, budget } = create(plane, planning, node, as, renamed, forked)
  for (const row of forked.kept) fork.inherit(row)
  for (const change of forked.changes) fork.change(change)
  fork.insert("entity", fork.url, entityRow(fork.record, "live"))
  if (budget) fork.insert("budget", "budget", budget)
  for (const op of node.attachments) fork.also(op)
  if (isRoot) changeTags(fork, as.tags)
  if (as.schedules) await planSchedules(plane, planning, fork, schedulesIn(node.rows, nowMs))
  const wakeId = newId(nowMs, plane.random)
  if (forked.waiting > 0) fork.wake({ kind: "accept", count: forked.waiting, wakeId, nowMs })
  if (!goes || !(isRoot || forked.run !== null)) return
  const system: Principal = { kind: "system", id: "fork" }
  deliver(plane, fork, { kind: "forked", from: system, content: null, mode: "steer" })
  if (message !== undefined) deliver(plane, fork, { kind: "message", from: as.from, content: message, mode: "steer" })
}

function create(
  plane: Plane,
  planning: Planning,
  node: ForkNode,
  as: ForkAs,
  renamed: ReadonlyMap<EntityUrl, EntityUrl>,
  forked: ForkedRows,
): { readonly fork: EntityDraft; readonly budget: BudgetRow | undefined } {
  const { source, url, id } = node
  const { nowMs } = planning.draft
  const { type } = source
  const parent = node.parent ?? as.parent
  const above = parent === null ? undefined : planning.entity(parent)
  const limits = (source.control as unknown as Control).budget?.limits
  const budget = (node.parent === undefined ? as.budget : undefined) ?? limits
  const depth = above ? above.control.depth + 1 : 0
  const spawning = { type, id, wake: node.wake, ...(budget ? { budget } : {}) }
  const made = spawnControl(plane, above, spawning, depth, nowMs)
  const from = { url: source.url, offset: node.at }
  const own = node.rows.find((row) => row.collection === "entity")?.value as unknown as EntityRow | undefined
  const control: Control = {
    ...made.control,
    wake: wakeOf(node, forked),
    run: forked.run && { ...forked.run, ...versionOf(source.control as unknown as Control, forked.run.id) },
    taken: forked.run === null ? null : (node.state.wake?.taken ?? null),
    // A wake that does not go on was one that the fork has behind it.
    wakes: node.state.wakes + (forked.run === null && node.state.wake ? 1 : 0),
    accepted: acceptedIn(node.rows),
    forkedFrom: from,
    ...(own?.schema === undefined ? {} : { schema: own.schema }),
  }
  const tags = Object.fromEntries(
    (node.rows as unknown as readonly Row<TagRow>[])
      .filter((row) => row.collection === "tag")
      .map((row) => [row.key, row.value.value]),
  )
  const args = renamedIn(source.args, { renamed }) as JsonObject
  const fork = planning.draft.create(newRecord({ url, type, id, args, tags, parent, nowMs }, control))
  fork.forkLog(entityStreamPath(source.url), node.at)
  return { fork, budget: made.budget }
}

/** The version of the handler that the run began with, where the original still has it. */
function versionOf({ run }: Control, id: string): { readonly version?: string } {
  return run?.id === id && run.version !== undefined ? { version: run.version } : {}
}

/** At rest; a wake that was under way goes on with what rouses the fork. */
function wakeOf({ state: { wake } }: ForkNode, { run }: ForkedRows): WakeState {
  const base = { epoch: 0, pending: 0 }
  if (run === null) return { ...base, runOpen: false, phase: { kind: "idle" } }
  const next = wake && { wake: { id: wake.id, attempt: wake.attempt + 1, failures: 0, losses: 0 } }
  return { ...base, runOpen: true, phase: { kind: "suspended", ...next } }
}

/** The number of the last message: the next one's key is no other's. */
function acceptedIn(rows: readonly Row[]): number {
  return Math.max(0, ...rows.filter((row) => row.collection === "message").map((row) => Number(row.key.slice(1))))
}

function schedulesIn(rows: readonly Row[], nowMs: number): readonly ScheduleRequest[] {
  return (rows as unknown as readonly Row<ScheduleRow>[])
    .filter((row) => row.collection === "schedule")
    .flatMap(({ key, value: { rule, content, catchUp } }) => {
      const isOver = rule !== undefined && "at" in rule && Date.parse(rule.at) <= nowMs
      return rule === undefined || isOver ? [] : [{ name: key, rule, content, ...(catchUp ? { catchUp } : {}) }]
    })
}
