import type { StreamOutcome } from "../commit.ts"
import type { SpaceResult } from "../space.ts"
import { Draft } from "./draft.ts"
import type { EncodedCommit, EncodedOp } from "./encoded.ts"
import { planEntity, planEntityDrop, planLease, planRow, planRowDrop } from "./entity-plan.ts"
import { decideGuards } from "./guard.ts"
import type { Overlay } from "./overlay.ts"
import { planPin, planSnapshot, planTrim } from "./retention.ts"
import { SpacePlan } from "./space-plan.ts"
import { planAppend, planCreate, planDelete, planFork, planTouch, repeatedStreams } from "./stream-plan.ts"
import type { SubscriptionWrite } from "./subscription-state.ts"
import type { StoreView } from "./view.ts"
import { planWork, planWorkDrop } from "./work-write.ts"
import type { Write } from "./write.ts"

export interface Plan {
  /** False: the commit had been applied before, and there are no writes. */
  readonly applied: boolean
  readonly writes: readonly Write[]
  readonly streams: Record<string, StreamOutcome>
  /** The version that each `putEntity` got, in order. */
  readonly versions: readonly number[]
  /** The earliest time at which a subscription that the commit touched is due. */
  readonly subscriptionDueAtMs: number | null
  /** The same of an observation. */
  readonly observationDueAtMs: number | null
  /** What became of each write to a space, in order. */
  readonly spaces: readonly SpaceResult[]
  /** The states that the commit leaves. */
  readonly view: Overlay
}

/**
 * Decides what a commit does, before anything is written: the writes, or a refusal that changes nothing.
 *
 * Each operation sees the effects of those before it. Pure but for `view`, which only looks things up and hands out numbers.
 *
 * @throws {RouseError} as `Store.commit`; `UNKNOWN_ENTITY` for a row of an entity that neither exists nor is put by this commit.
 */
export function planCommit(commit: EncodedCommit, view: StoreView): Plan {
  const draft = new Draft(commit, view)
  const guards = decideGuards(commit.guards, draft.view)
  if (guards.kind === "repeated") return repeated(draft)
  for (const lease of guards.leases) planLease(draft, lease)
  for (const op of commit.ops) {
    draft.begun += 1
    if (planOp(draft, op) === "duplicate") return repeated(draft)
  }
  const { writes, streams, versions, subscriptionDueAtMs, observationDueAtMs, spaceResults: spaces } = draft
  return { applied: true, writes, streams, versions, subscriptionDueAtMs, observationDueAtMs, spaces, view: draft.view }
}

function repeated(draft: Draft): Plan {
  const streams = repeatedStreams(draft)
  const nothing = { writes: [], versions: [], subscriptionDueAtMs: null, observationDueAtMs: null, spaces: [] }
  return { applied: false, ...nothing, streams, view: draft.view }
}

/** Only an append can turn out to have been made before. */
function planOp(draft: Draft, op: EncodedOp): "duplicate" | "done" | void {
  switch (op.op) {
    case "append":
      return planAppend(draft, op)
    case "createStream":
      return planCreate(draft, op)
    case "forkStream":
      return planFork(draft, op)
    case "deleteStream":
      return planDelete(draft, op.path)
    case "touchStream":
      return planTouch(draft, op.path, op.nowMs)
    case "putEntity":
      return planEntity(draft, op.record)
    case "deleteEntity":
      return planEntityDrop(draft, op.url)
    case "putRow":
      return planRow(draft, op)
    case "deleteRow":
      return planRowDrop(draft, op)
    case "putTimer":
      return draft.write({ kind: "putTimer", timer: op.timer })
    case "deleteTimer":
      return draft.write({ kind: "dropTimer", id: op.id })
    case "putReceipt":
      return draft.write({ kind: "putReceipt", receipt: op.receipt })
    case "putWork":
      return planWork(draft, op.item)
    case "dropWork":
      return planWorkDrop(draft, op.id)
    case "putSnapshot":
      return draft.write(planSnapshot(draft.view, op))
    case "trimStream":
      return draft.write(planTrim(draft.view, op))
    case "putPin":
    case "dropPin":
      return draft.write(planPin(draft.view, op))
    case "subscription":
      return draft.subscriptions.do(op.change)
    case "observation":
      return draft.observations.do(op.change)
    case "space":
      return spacesOf(draft).do(op)
    case "secret":
      return draft.write({ kind: "subscription", write: secretWrite(op) })
  }
}

function secretWrite(op: Extract<EncodedOp, { readonly op: "secret" }>): SubscriptionWrite {
  if (op.secret === null) return { kind: "dropSecret", name: op.name }
  return { kind: "putSecret", name: op.name, value: op.secret, createdAtMs: op.nowMs }
}

/** What the commit does to spaces. It has its streams grow as any commit does. */
function spacesOf(draft: Draft): SpacePlan {
  return (draft.spaces ??= new SpacePlan(draft.view.spaces, {
    stream: (path) => draft.view.stream(path),
    createStream: (path, nowMs) =>
      planCreate(draft, { op: "createStream", path, contentType: "application/json", nowMs }),
    append: (path, data, nowMs) => void planAppend(draft, { op: "append", path, data, nowMs }),
    deleteStream: (path) => planDelete(draft, path),
    write: (write) => draft.write({ kind: "space", write }),
  }))
}
