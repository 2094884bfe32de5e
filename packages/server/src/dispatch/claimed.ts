import { type CommitReply, type ClaimEnd, type HandlerCommit, type RenewReply, RouseError } from "@rouse/protocol"
import { controlOf } from "../core/control.ts"
import { applyHandlerCommit, type HeldLease } from "../handler-commit.ts"
import type { Plane } from "../plane.ts"
import { endWake } from "../wake-end.ts"
import { failureOf } from "../wake-failure.ts"
import { handlerError } from "./handler-error.ts"

/**
 * What a handler elsewhere does under its claim. It goes by the lease in the store, so any process that shares it can be asked; the one that
 * looks after the wake also takes note.
 */

/** @throws {RouseError} as `applyHandlerCommit`. */
export async function commitClaimed(
  plane: Plane,
  lease: HeldLease,
  commit: HandlerCommit,
): Promise<CommitReply & Pick<RenewReply, "interrupting">> {
  heard(plane, lease)
  const active = plane.dispatcher.activeWake(lease.url, lease.wake.epoch)
  const reply = active ? await active.commit(commit) : await applyHandlerCommit(plane, lease, commit)
  return { ...reply, ...(commit.finish ? {} : await interruption(plane, lease)) }
}

/**
 * Renews the lease. Waits up to `waitMs` for something to tell.
 *
 * @throws {RouseError} `FENCED` when the lease is no longer held.
 */
export async function renewClaimed(
  plane: Plane,
  lease: HeldLease,
  waitMs: number,
  gone: AbortSignal,
): Promise<RenewReply> {
  const leaseMs = plane.limits.remoteLeaseMs
  await renew(plane, lease)
  heard(plane, lease)
  const told = await interruption(plane, lease)
  if (told.interrupting === undefined && waitMs > 0) await changeOf(plane, lease, waitMs, gone)
  return { leaseMs, ...(await interruption(plane, lease)) }
}

/** The attempt is over without a finish. */
export async function endClaimed(plane: Plane, lease: HeldLease, end: ClaimEnd): Promise<void> {
  const type = plane.types.get(lease.type, lease.wake.version)
  const attemptsMax = type?.attempts ?? plane.limits.attemptsMax
  const failure =
    end.kind === "released" ? ({ kind: "released" } as const) : failureOf(plane, handlerError(end.error), attemptsMax)
  await endWake(plane, lease, failure)
}

/** A handler that calls is there, also when its answer takes long: nobody needs to wait for the end of a probe. */
function heard(plane: Plane, { type, wake }: HeldLease): void {
  const dispatch = plane.types.get(type, wake.version)?.dispatch
  if (dispatch?.kind === "webhook") plane.remote.circuits.succeed(dispatch.url)
}

async function renew(plane: Plane, { url, wake }: HeldLease): Promise<void> {
  await plane.transactor.transact([url], (planning) => {
    const entity = planning.entity(url)
    if (!entity) throw new RouseError("FENCED", `${url} was deleted`)
    const expiresAtMs = planning.draft.nowMs + plane.limits.remoteLeaseMs
    entity.wake({ kind: "renew", epoch: wake.epoch, expiresAtMs, progress: false })
  })
}

/** @throws {RouseError} `FENCED`. */
async function interruption(plane: Plane, { url, wake }: HeldLease): Promise<Pick<RenewReply, "interrupting">> {
  const record = await plane.transactor.record(url)
  if (record?.epoch !== wake.epoch) throw new RouseError("FENCED", `epoch ${wake.epoch} of ${url} is over`)
  const { interrupting } = controlOf(record)
  return interrupting ? { interrupting: interrupting.reason } : {}
}

/** Resolves when the entity is to be interrupted or its lease is over, after `waitMs`, or when nobody waits any more. */
function changeOf(plane: Plane, { url, wake }: HeldLease, waitMs: number, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      unwatch()
      gone.removeEventListener("abort", end)
      resolve()
    }
    const cancel = plane.defer(waitMs, end)
    const unwatch = plane.store.watchEntities((record) => {
      if (record.url !== url) return
      if (record.epoch !== wake.epoch || record.status !== "running" || controlOf(record).interrupting) end()
    })
    if (gone.aborted) end()
    else gone.addEventListener("abort", end, { once: true })
  })
}
