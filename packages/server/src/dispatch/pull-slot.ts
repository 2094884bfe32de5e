import { RouseError, type WakeInfo } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { controlOf } from "../core/control.ts"
import type { Slot } from "../dispatcher.ts"
import type { HeldLease } from "../handler-commit.ts"
import type { Plane } from "../plane.ts"
import { endWake } from "../wake-end.ts"
import { entityInfo } from "./entity-info.ts"
import type { Seat } from "./pull-desk.ts"
import type { ServedType } from "./served-type.ts"
import { deliveryOf } from "./webhook-runner.ts"

/** Room for a wake with a worker that waits for one; undefined when none has. */
export function pullSlot(plane: Plane, type: ServedType): Slot | undefined {
  const seat = plane.remote.pulls.reserve(type.name, type.version)
  if (!seat) return undefined
  let leased: { readonly lease: HeldLease; readonly record: Omit<EntityRecord, "version"> } | undefined
  return {
    version: type.version,
    isRemote: true,
    lease: (wake: WakeInfo, record) => {
      leased = { lease: { url: record.url, type: record.type, wake, atMs: plane.clock() }, record }
    },
    start: () => {
      if (!leased) throw new RouseError("INTERNAL", `a seat of ${type.name} was taken without a lease`)
      const { lease, record } = leased
      give(plane, seat, lease, record).catch((error: unknown) =>
        plane.log.error("a worker could not be given a wake; its lease will expire", {
          url: lease.url,
          error: String(error),
        }),
      )
    },
    release: () => seat.release(),
  }
}

/** From here on the wake is the worker's, and ends by its finish or with its lease. */
async function give(plane: Plane, seat: Seat, lease: HeldLease, record: Omit<EntityRecord, "version">): Promise<void> {
  try {
    const rows = await plane.transactor.rows(lease.url)
    const interrupting = controlOf(record as EntityRecord).interrupting?.reason
    const rules = plane.policy.length > 0 ? { policy: plane.policy } : {}
    const request = { wake: lease.wake, entity: entityInfo(record), rows, ...rules }
    if (seat.give(await deliveryOf(plane, request, { lease, interrupting }))) return
    await endWake(plane, lease, { kind: "released" })
  } catch (error) {
    seat.release()
    if (!RouseError.is(error, "FENCED")) throw error
  }
}
