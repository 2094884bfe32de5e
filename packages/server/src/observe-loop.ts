import { RouseError } from "@rouse/protocol"
import type { ObservationRecord } from "@rouse/store"
import { DueLoop, STORE_RETRY_MS } from "./due-loop.ts"
import { deliverBatch } from "./observe-deliver.ts"
import { Digests } from "./observe-digest.ts"
import { TURN_MS } from "./core/rendezvous.ts"
import type { Plane } from "./plane.ts"

/** Observations that are looked at together. */
const LOOK_MAX = 1_024
/** Of them, those that are told in one commit. */
const COMMIT_MAX = 128

/** Looks at the observations that are due, earliest first. One that cannot be told keeps no other from being told. */
export class ObserveLoop {
  readonly #plane: () => Plane
  readonly #loop: DueLoop
  #unwatch: () => void = () => undefined

  constructor(plane: () => Plane) {
    this.#plane = plane
    this.#loop = new DueLoop(plane, {
      name: "what is observed",
      look: (known) => this.#look(known),
      next,
    })
  }

  start(): void {
    this.#unwatch = this.#plane().store.watchObservations((dueAtMs) => this.#loop.dueAt(dueAtMs))
    this.#loop.poke()
  }

  /** Looks now. */
  poke(): void {
    this.#loop.poke()
  }

  /** Looks no more, and waits for the round under way. */
  async close(): Promise<void> {
    this.#unwatch()
    await this.#loop.close()
  }

  /** Returns whether there may be more that is due. */
  async #look(plane: Plane): Promise<boolean> {
    const due = await plane.store.dueObservations(plane.clock(), LOOK_MAX)
    const later = (atMs: number): void => this.#loop.dueAt(atMs)
    const mine = plane.peers.share(
      due,
      ({ url }) => url,
      ({ dueAtMs }) => dueAtMs ?? 0,
      later,
    )
    const digests = new Digests(plane.store)
    for (let at = 0; at < mine.length && this.#loop.isOpen; at += COMMIT_MAX)
      await deliver(plane, digests, mine.slice(at, at + COMMIT_MAX))
    return due.length === LOOK_MAX && mine.length > 0
  }
}

/** What is due and left to another replica is looked at again when it is this one's turn. */
async function next(plane: Plane): Promise<number | undefined> {
  const dueAtMs = await plane.store.nextObservationDueAtMs()
  if (dueAtMs === undefined || plane.peers.count === 1) return dueAtMs
  return Math.max(dueAtMs, plane.clock() + TURN_MS)
}

/** What cannot be told together is told one by one, and what cannot be told at all later. */
async function deliver(plane: Plane, digests: Digests, records: readonly ObservationRecord[]): Promise<void> {
  try {
    await deliverBatch(plane, digests, records)
  } catch (error) {
    if (RouseError.is(error, "STORE_UNAVAILABLE", "SHUTTING_DOWN", "OVERLOADED")) throw error
    const [first, ...others] = records
    if (first === undefined) return
    if (others.length > 0) for (const record of records) await deliver(plane, digests, [record])
    // Another replica was first: what is left of it is due again.
    else if (!(RouseError.is(error, "CONFLICT") && plane.peers.count > 1)) await postpone(plane, first, error)
  }
}

async function postpone(plane: Plane, record: ObservationRecord, error: unknown): Promise<void> {
  const { url, name, serial, version, path, filter, debounceMs, timeoutAtMs, config } = record
  plane.log.error("an observer could not be told", { url, observation: name, error: String(error) })
  const nowMs = plane.clock()
  const kept = { url, name, path, filter, debounceMs, timeoutAtMs, config }
  const change = { kind: "put", record: { ...kept, cursor: null, notBeforeMs: nowMs + STORE_RETRY_MS }, nowMs } as const
  const guards = [{ kind: "observation", url, name, serial, version }] as const
  await plane.store.commit({ guards, ops: [{ op: "observation", change }] }).catch((failure: unknown) => {
    if (!RouseError.is(failure, "CONFLICT")) throw failure
  })
}
