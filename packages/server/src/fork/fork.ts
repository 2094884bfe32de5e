import {
  entityUrl,
  type EntityUrl,
  type ForkPoint,
  type ForkRequest,
  isEntityId,
  type Offset,
  RouseError,
} from "@rouse/protocol"
import { checkBudget } from "../core/budget-input.ts"
import { isoTime } from "../core/control.ts"
import type { CommitDraft } from "../core/draft.ts"
import { newId } from "../core/id.ts"
import { checkQueue } from "../inbox.ts"
import type { Plane } from "../plane.ts"
import { transactAndRouse } from "../rouse.ts"
import type { Planning } from "../transactor.ts"
import { type ForkAs, planNode } from "./plan.ts"
import { type ForkNode, readTree } from "./tree.ts"

export interface ForkInput extends ForkAs {
  readonly source: EntityUrl
  readonly type: string
  readonly at?: Offset
  readonly id?: string
  readonly tree: boolean
}

export interface ForkOutcome {
  readonly url: EntityUrl
  readonly created: boolean
  readonly from: ForkPoint
  readonly forks: Readonly<Record<EntityUrl, EntityUrl>>
}

/**
 * Makes an entity of another's history, and with `tree` of all below it too, in one commit. Their logs are not copied.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY`, `UNKNOWN_TYPE`, `BAD_REQUEST`, `BAD_OFFSET`, `GONE`, `ALREADY_EXISTS`, `TOO_LARGE`, `BUDGET_EXHAUSTED`.
 * @see docs/fork.md
 */
export async function fork(
  plane: Plane,
  input: ForkInput,
  onPlan: (draft: CommitDraft, outcome: ForkOutcome) => void,
): Promise<ForkOutcome> {
  if (input.budget) checkBudget(input.budget)
  if (input.run || input.message !== undefined) checkQueue(plane)
  const id = input.id ?? newId(plane.clock(), plane.random)
  checkId(id)
  plane.types.need(input.type, entityUrl(input.type, id))
  const known = await sameFork(plane, input, id)
  if (known) return known
  const nodes = await readTree(plane, { source: input.source, at: input.at, id, tree: input.tree })
  const { value } = await transactAndRouse(
    plane,
    nodes.map((node) => node.url),
    async (planning) => {
      const outcome = await planFork(plane, planning, nodes, input)
      onPlan(planning.draft, outcome)
      return outcome
    },
  )
  plane.dueAt(plane.clock())
  return value
}

/** A fork that a handler asked for, read before its commit is planned. */
export async function readFork(plane: Plane, source: EntityUrl, type: string, request: ForkRequest): Promise<ForkNode> {
  checkId(request.id)
  if (request.budget) checkBudget(request.budget)
  const { at, id, wake } = request
  const known = (await plane.transactor.record(entityUrl(type, id)))?.control["forkedFrom"] as ForkPoint | undefined
  if (known) throw new RouseError("ALREADY_EXISTS", `/${type}/${id} exists; use another id`)
  const [root] = await readTree(plane, { source, at, id, tree: false })
  return { ...(root as ForkNode), wake }
}

/** Adds a handler's fork of its own entity to its commit: a child, and without the run under way. */
export async function planOwnFork(
  plane: Plane,
  planning: Planning,
  node: ForkNode,
  { message, tags, wake }: ForkRequest,
  budget: ForkRequest["budget"],
): Promise<void> {
  const { url } = node.source
  const as: ForkAs = {
    from: { kind: "agent", id: url },
    parent: url,
    ...(message === undefined ? {} : { message }),
    run: false,
    keepRun: false,
    tags: tags ?? {},
    ...(budget ? { budget } : {}),
    schedules: false,
  }
  await planFork(plane, planning, [node], as)
  const at = isoTime(planning.draft.nowMs)
  planning
    .entity(url)
    ?.insert("child", node.url, { url: node.url, type: node.source.type, at, wake, status: "running" })
}

async function planFork(
  plane: Plane,
  planning: Planning,
  nodes: readonly ForkNode[],
  as: ForkAs,
): Promise<ForkOutcome> {
  const renamed = nodes.length > 1 ? new Map(nodes.map((node) => [node.source.url, node.url])) : new Map()
  for (const node of nodes) {
    if (planning.entity(node.url)) throw new RouseError("ALREADY_EXISTS", `${node.url} exists; use another id`)
    await planNode(plane, planning, node, as, renamed)
  }
  const [root] = nodes as readonly [ForkNode]
  const forks = Object.fromEntries(nodes.map((node) => [node.source.url, node.url]))
  return { url: root.url, created: true, from: { url: root.source.url, offset: root.at }, forks }
}

function checkId(id: string): void {
  if (isEntityId(id)) return
  throw new RouseError(
    "BAD_REQUEST",
    `id: "${id}" must be 1 to 128 letters, digits and ._~- beginning with a letter or digit`,
  )
}

/** The same fork again changes nothing. */
async function sameFork(plane: Plane, { source, type, at }: ForkInput, id: string): Promise<ForkOutcome | undefined> {
  const url = entityUrl(type, id)
  const existing = await plane.transactor.record(url)
  if (!existing) return undefined
  const from = existing.control["forkedFrom"] as unknown as ForkPoint | undefined
  if (from?.url !== source || (at !== undefined && at !== from.offset))
    throw new RouseError("ALREADY_EXISTS", `${url} exists and is another's; use another id`)
  return { url, created: false, from, forks: { [source]: url } }
}
