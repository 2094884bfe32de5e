/** Deliveries under way at once to one receiver: to all webhooks of one origin. */
export const RECEIVER_DELIVERIES_MAX = 8

interface Receiver {
  taken: number
  /** Identifiers of subscriptions that wait for this receiver, the one that has waited longest first. */
  readonly held: Set<string>
}

/**
 * Shares deliveries out between receivers, so that a slow one costs the others nothing.
 *
 * 1. A receiver has at most `RECEIVER_DELIVERIES_MAX` deliveries under way.
 * 2. Who waits is told by turns: one of each receiver that has room, then the next of each.
 * 3. It is no more than a memory of what the store says: at most one identifier for each subscription that is due.
 */
export class Receivers {
  readonly #receivers = new Map<string, Receiver>()
  #heldCount = 0

  /** Subscriptions that wait for their receiver. */
  get held(): number {
    return this.#heldCount
  }

  /** Takes a place at the receiver; without one, remembers who wants it. */
  take(origin: string, id: string): boolean {
    const receiver = this.#of(origin)
    if (receiver.taken < RECEIVER_DELIVERIES_MAX) {
      receiver.taken += 1
      return true
    }
    if (!receiver.held.has(id)) this.#heldCount += 1
    receiver.held.add(id)
    return false
  }

  give(origin: string): void {
    this.#of(origin).taken -= 1
    this.#tidy(origin)
  }

  /** Who waits and now has room, by turns, at most `limit`. They are held no longer. */
  next(limit: number): readonly string[] {
    const waiting = [...this.#receivers].map(([origin, { taken, held }]) => ({
      origin,
      ids: first(held, RECEIVER_DELIVERIES_MAX - taken),
    }))
    const turns = Array.from({ length: RECEIVER_DELIVERIES_MAX }, (_, turn) =>
      waiting.flatMap(({ origin, ids }) => ids.slice(turn, turn + 1).map((id) => ({ origin, id }))),
    )
    const chosen = turns.flat().slice(0, limit)
    for (const { origin, id } of chosen) {
      this.#of(origin).held.delete(id)
      this.#heldCount -= 1
      this.#tidy(origin)
    }
    return chosen.map(({ id }) => id)
  }

  /** Forgets who waits: it will be asked again. */
  forget(): void {
    for (const [origin, { held }] of this.#receivers) {
      held.clear()
      this.#tidy(origin)
    }
    this.#heldCount = 0
  }

  #of(origin: string): Receiver {
    const known = this.#receivers.get(origin) ?? { taken: 0, held: new Set() }
    this.#receivers.set(origin, known)
    return known
  }

  /** A receiver of whom nothing is to be remembered costs nothing. */
  #tidy(origin: string): void {
    const receiver = this.#receivers.get(origin)
    if (receiver?.taken === 0 && receiver.held.size === 0) this.#receivers.delete(origin)
  }
}

function first(ids: ReadonlySet<string>, count: number): readonly string[] {
  const found: string[] = []
  for (const id of ids) {
    if (found.length >= count) break
    found.push(id)
  }
  return found
}
