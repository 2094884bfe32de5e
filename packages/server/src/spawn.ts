import {
  type Budget,
  entityUrl,
  type EntityUrl,
  isEntityId,
  type Json,
  type JsonObject,
  type MessageRow,
  type Principal,
  RouseError,
} from "@rouse/protocol"
import { spawnControl } from "./budgets.ts"
import { nextCause } from "./core/breaker.ts"
import { checkBudget } from "./core/budget-input.ts"
import { canonicalJson } from "./core/canonical.ts"
import { isoTime, newRecord } from "./core/control.ts"
import type { CommitDraft, EntityDraft } from "./core/draft.ts"
import { messageKey } from "./core/id.ts"
import { checkQueue, deliver } from "./inbox.ts"
import type { Plane } from "./plane.ts"
import { transactAndRouse } from "./rouse.ts"
import type { Planning } from "./transactor.ts"

/** An entity that is to be. */
export interface SpawnInput {
  readonly type: string
  readonly id: string
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly parent: EntityUrl | null
  /** Whether the parent is woken when a run ends. */
  readonly wake: "finished" | "never"
  readonly from: Principal
  /** The first message, if there is one. */
  readonly message?: Json
  /** Files that come with it. */
  readonly attachments?: NonNullable<MessageRow["attachments"]>
  /** Beside its type's, and within what its parent has left. */
  readonly budget?: Budget
}

export interface SpawnOutcome {
  readonly url: EntityUrl
  readonly created: boolean
  readonly message?: string
}

/** The first message of a spawn is the first that the entity ever accepts. */
const FIRST_MESSAGE = messageKey(1)

/**
 * Checks a spawn against its type, with nothing written.
 *
 * @throws {RouseError} `UNKNOWN_TYPE`, `BAD_REQUEST` for a bad id, `INVALID_ARGS` naming the field.
 */
export async function checkSpawn(plane: Plane, input: SpawnInput): Promise<SpawnInput> {
  // It may have been registered through another replica a moment ago.
  if (!plane.types.get(input.type)) await plane.remote.registry.refresh()
  const type = plane.types.need(input.type, entityUrl(input.type, input.id))
  if (!isEntityId(input.id)) {
    throw new RouseError(
      "BAD_REQUEST",
      `id: "${input.id}" must be 1 to 128 letters, digits and ._~- beginning with a letter or digit`,
    )
  }
  if (input.budget) checkBudget(input.budget)
  if (input.message !== undefined && input.from.kind !== "agent") await type.checkMessage?.(input.message)
  return { ...input, args: await type.checkArgs(input.args) }
}

/**
 * Makes an entity, with its first message and its parent's `child` row, in one commit. The same spawn again changes nothing.
 *
 * @throws {RouseError} as `checkSpawn`; `UNKNOWN_ENTITY` or `STOPPED` for the parent; `ALREADY_EXISTS` when one with other arguments exists.
 */
export async function spawn(
  plane: Plane,
  input: SpawnInput,
  onPlan: (draft: CommitDraft, outcome: SpawnOutcome) => void,
): Promise<SpawnOutcome> {
  if (input.message !== undefined) checkQueue(plane)
  const checked = await checkSpawn(plane, input)
  const url = entityUrl(checked.type, checked.id)
  const urls = checked.parent === null ? [url] : [url, checked.parent]
  const { value } = await transactAndRouse(plane, urls, async (planning) => {
    const outcome = await planSpawn(plane, planning, checked)
    onPlan(planning.draft, outcome)
    return outcome
  })
  return value
}

/** Adds a checked spawn to a commit that is being planned. The plan must have been given the child's and the parent's addresses. */
export async function planSpawn(plane: Plane, planning: Planning, input: SpawnInput): Promise<SpawnOutcome> {
  const url = entityUrl(input.type, input.id)
  const parent = input.parent === null ? undefined : parentOf(planning, input.parent)
  const existing = planning.entity(url)
  if (existing) return sameSpawn(plane, existing, input)
  const depth = parent ? parent.control.depth + 1 : 0
  if (depth > plane.limits.depthMax) {
    throw new RouseError(
      "BAD_REQUEST",
      `${url} would be ${depth} levels deep; at most ${plane.limits.depthMax} are allowed`,
    )
  }
  const message = create(plane, planning.draft, input, depth, parent)
  const { nowMs } = planning.draft
  parent?.insert("child", url, { url, type: input.type, at: isoTime(nowMs), wake: input.wake, status: "running" })
  return { url, created: true, ...(message === undefined ? {} : { message }) }
}

function parentOf(planning: Planning, url: EntityUrl): EntityDraft {
  const parent = planning.entity(url)
  if (!parent) throw new RouseError("UNKNOWN_ENTITY", `parent: there is no entity ${url}`)
  if (parent.record.status === "stopped") throw new RouseError("STOPPED", `parent: ${url} is stopped`)
  return parent
}

function create(
  plane: Plane,
  draft: CommitDraft,
  input: SpawnInput,
  depth: number,
  above: EntityDraft | undefined,
): string | undefined {
  const { type, id, args, tags, parent, message, attachments, from } = input
  const url = entityUrl(type, id)
  const { nowMs } = draft
  const { control, budget } = spawnControl(plane, above, input, depth, nowMs)
  const record = newRecord({ url, type, id, args, tags, parent, nowMs }, control)
  const child = draft.create(record)
  child.insert("entity", url, { url, type, id, args, parent, createdAt: isoTime(nowMs), status: "live" })
  for (const [name, value] of Object.entries(tags)) child.insert("tag", name, { value })
  if (budget) child.insert("budget", "budget", budget)
  if (message === undefined) return undefined
  const cause = from.kind === "agent" && above ? { cause: nextCause(above.control.cause, above.url) } : {}
  const files = attachments ? { attachments } : {}
  return deliver(plane, child, { kind: "message", from, content: message, mode: "steer", ...files, ...cause })
}

async function sameSpawn(plane: Plane, existing: EntityDraft, input: SpawnInput): Promise<SpawnOutcome> {
  const { record } = existing
  const differs = (what: string): RouseError =>
    new RouseError("ALREADY_EXISTS", `${record.url} exists with another ${what}; use another id, or send it a message`)
  if (canonicalJson(record.args) !== canonicalJson(input.args)) throw differs("args")
  if (record.parent !== input.parent) throw differs("parent")
  if (input.message === undefined) return { url: record.url, created: false }
  const row = await plane.transactor.row(record.url, "message", FIRST_MESSAGE)
  const first = row?.value as unknown as MessageRow | undefined
  if (canonicalJson(first?.content) !== canonicalJson(input.message)) throw differs("first message")
  return { url: record.url, created: false, message: FIRST_MESSAGE }
}
