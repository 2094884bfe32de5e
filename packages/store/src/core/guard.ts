import { RouseError } from "@rouse/protocol"
import type { Guard } from "../commit.ts"
import type { EntityState, StoreView } from "./view.ts"

export type GuardDecision =
  /** All hold. `leases` are the entities whose newest `seq` is to be recorded. */
  | { readonly kind: "hold"; readonly leases: readonly EntityState[] }
  /** A lease's `seq` was applied before. */
  | { readonly kind: "repeated" }

type LeaseGuard = Extract<Guard, { readonly kind: "lease" }>

/**
 * Decides whether a commit may go on. Leases come first: a repeated commit is one even though what else it demands no longer holds.
 *
 * @throws {RouseError} `FENCED` (`details.epoch` is the newest, null when there is no such entity), `CONFLICT`
 *   (`details.guard` names the kind that failed).
 */
export function decideGuards(guards: readonly Guard[], view: StoreView): GuardDecision {
  const leases: EntityState[] = []
  for (const guard of guards) {
    if (guard.kind !== "lease") continue
    const state = leaseHolder(guard, view)
    if (guard.seq === undefined) continue
    if (guard.seq <= state.seq) return { kind: "repeated" }
    leases.push({ ...state, seq: guard.seq })
  }
  for (const guard of guards) refuseConflict(guard, view)
  return { kind: "hold", leases }
}

function leaseHolder(guard: LeaseGuard, view: StoreView): EntityState {
  const state = view.entity(guard.url)
  if (state?.epoch === guard.epoch) return state
  throw new RouseError("FENCED", `epoch ${guard.epoch} of ${guard.url} is not ${state?.epoch ?? "leased any more"}`, {
    details: { url: guard.url, epoch: state?.epoch ?? null },
  })
}

function refuseConflict(guard: Guard, view: StoreView): void {
  switch (guard.kind) {
    case "lease":
      return
    case "version": {
      const version = view.entity(guard.url)?.version ?? 0
      if (version === guard.version) return
      throw conflict(guard.kind, `${guard.url} has version ${version}, not ${guard.version}`, {
        url: guard.url,
        version,
      })
    }
    case "timer":
      if (view.hasTimer(guard.id)) return
      throw conflict(guard.kind, `there is no timer ${guard.id}`, { id: guard.id })
    case "noReceipt":
      if (!view.hasReceipt(guard.key)) return
      throw conflict(guard.kind, `there is a receipt ${guard.key}`, { key: guard.key })
    case "observation": {
      const { url, name, serial, version } = guard
      const state = view.observations.observation(url, name)
      if (state?.serial === serial && state.version === version) return
      throw conflict(guard.kind, `the observation ${name} of ${url} is another, or changed`, { url, name })
    }
    case "subscription": {
      const version = view.subscriptions.subscription(guard.id)?.version ?? 0
      if (version === guard.version) return
      throw conflict(guard.kind, `the subscription ${guard.id} has version ${version}, not ${guard.version}`, {
        id: guard.id,
        version,
      })
    }
    case "work": {
      const version = view.workVersion(guard.id)
      if (version === guard.version) return
      throw conflict(guard.kind, `the work ${guard.id} has version ${version}, not ${guard.version}`, {
        id: guard.id,
        version,
      })
    }
  }
}

function conflict(guard: Guard["kind"], message: string, details: Record<string, string | number>): RouseError {
  return new RouseError("CONFLICT", message, { details: { guard, ...details } })
}
