import { START } from "@rouse/protocol"
import type { Commit } from "../commit.ts"
import type { Plan } from "../core/plan.ts"
import type { Announcer } from "./announcer.ts"
import type { Watcher } from "./watcher.ts"

/** Those who are told what became durable: here, and in other replicas. */
interface Told {
  readonly watcher: Watcher
  readonly announcer: Announcer
}

/** Tells what a commit that is done changed. */
export function announceCommit(commit: Commit, plan: Plan, told: Told): void {
  if (!plan.applied) return
  const { watcher, announcer } = told
  const { subscriptionDueAtMs, observationDueAtMs } = plan
  if (subscriptionDueAtMs !== null) {
    watcher.tellSubscriptions(subscriptionDueAtMs)
    announcer.subscription(subscriptionDueAtMs)
  }
  if (observationDueAtMs !== null) {
    watcher.tellObservations(observationDueAtMs)
    announcer.observation(observationDueAtMs)
  }
  for (const [path, { next, closed }] of Object.entries(plan.streams)) {
    watcher.tellStream(path, { next, closed, deleted: false })
    announcer.stream(path)
  }
  for (const op of commit.ops) if (op.op === "deleteStream") announceDeleted(op.path, told)
  announceEntities(commit, plan, told)
}

export function announceDeleted(path: string, { watcher, announcer }: Told): void {
  watcher.tellStream(path, { next: START, closed: false, deleted: true })
  announcer.stream(path)
}

function announceEntities(commit: Commit, { versions }: Plan, { watcher, announcer }: Told): void {
  let put = 0
  for (const op of commit.ops) {
    if (op.op === "putTimer") announcer.due(op.timer.dueAtMs)
    if (op.op !== "putEntity") continue
    const version = versions[put]
    put += 1
    const { url, status, dueAtMs } = op.record
    announcer.entity(url)
    // Who had room has leased it in the same commit.
    if (status === "queued" && dueAtMs !== null) announcer.due(dueAtMs)
    if (version !== undefined && watcher.hasEntityListeners) watcher.tellEntity({ ...op.record, version })
  }
}
