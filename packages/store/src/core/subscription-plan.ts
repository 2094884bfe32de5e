import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { SubscriptionChange } from "../subscription.ts"
import { STREAMS_NAMED_MAX, STREAMS_SETTLED_MAX, SUBSCRIPTIONS_BROAD_MAX, SUBSCRIPTIONS_MAX } from "../subscription.ts"
import { isBroad, parsePattern } from "./glob.ts"
import { lineOf } from "./fork.ts"
import { positionOf, segmentsOf } from "./lineage.ts"
import type { StreamState } from "./stream-state.ts"
import { isAlive } from "./stream-state.ts"
import type { SubscriptionOverlay } from "./subscription-overlay.ts"
import type { LinkState, SubscriptionState, SubscriptionWrite } from "./subscription-state.ts"

type Change<K extends SubscriptionChange["kind"]> = Extract<SubscriptionChange, { readonly kind: K }>

/**
 * Decides what a commit does to subscriptions: by what is asked of them, and by what becomes of their streams.
 *
 * Keeps the rules of `SubscriptionReads`: pending is decided here, and idle with a pending stream means due.
 */
export class SubscriptionPlan {
  readonly #view: SubscriptionOverlay
  readonly #streamOf: (path: string) => StreamState | undefined
  readonly #write: (write: SubscriptionWrite) => void

  constructor(
    view: SubscriptionOverlay,
    streamOf: (path: string) => StreamState | undefined,
    write: (write: SubscriptionWrite) => void,
  ) {
    this.#view = view
    this.#streamOf = streamOf
    this.#write = write
  }

  /** The earliest time at which a subscription that this commit touched is due, as the commit leaves it. */
  get dueAtMs(): number | null {
    let earliest: number | null = null
    for (const state of this.#view.subscriptions.values()) {
      const dueAtMs = state?.dueAtMs ?? null
      if (dueAtMs !== null && (earliest === null || dueAtMs < earliest)) earliest = dueAtMs
    }
    return earliest
  }

  /** A stream grew. `before` is where it ended. */
  grown(path: string, before: number, nowMs: number): void {
    for (const link of this.#view.subscribers(path)) {
      if (link.pending || !this.#lives(link)) continue
      this.#putLink(link, { ...link, linked: true, pending: true, acked: link.linked ? link.acked : before }, nowMs)
    }
  }

  /** A stream is gone. Who named it waits for the next one at its path, from its beginning. */
  gone(path: string): void {
    for (const link of this.#view.subscribers(path)) {
      if (!link.linked || !this.#lives(link)) continue
      this.#putLink(link, { ...link, linked: link.explicit, acked: 0, pending: false }, 0)
    }
  }

  /** Whether its subscription was not deleted earlier in this commit. */
  #lives(link: LinkState): boolean {
    return this.#view.subscription(link.id)?.serial === link.serial
  }

  do(change: SubscriptionChange): void {
    switch (change.kind) {
      case "put":
        return this.#put(change)
      case "delete":
        return this.#delete(change.id)
      case "link":
        return this.#link(change)
      case "unlink":
        return this.#unlink(change)
      case "ack":
        return change.lenient === true ? this.#ackIfPossible(change) : this.#ack(change)
    }
  }

  #put({ record, nowMs }: Change<"put">): void {
    const old = this.#view.subscription(record.id)
    if (old === undefined) this.#refuseTooMany(record.pattern)
    const state: SubscriptionState = {
      serial: old?.serial ?? this.#view.newSerial(),
      id: record.id,
      version: (old?.version ?? 0) + 1,
      pattern: old === undefined ? record.pattern : old.pattern,
      wakeStream: old === undefined ? record.wakeStream : old.wakeStream,
      idle: record.idle,
      dueAtMs: record.idle && (old?.pending ?? 0) > 0 ? nowMs : record.dueAtMs,
      pending: old?.pending ?? 0,
      links: old?.links ?? 0,
      named: old?.named ?? 0,
    }
    if (old === undefined) this.#view.make(state)
    else this.#view.set(state)
    this.#write({
      kind: old === undefined ? "insert" : "update",
      state,
      config: record.config,
      control: record.state,
    })
  }

  #refuseTooMany(pattern: string | null): void {
    const { all, broad } = this.#view.counts()
    if (all >= SUBSCRIPTIONS_MAX) {
      throw new RouseError("LIMIT_REACHED", `there are ${SUBSCRIPTIONS_MAX} subscriptions already; delete one first`, {
        details: { limit: "subscriptions", max: SUBSCRIPTIONS_MAX },
      })
    }
    if (pattern === null || !isBroad(parsePattern(pattern)) || broad < SUBSCRIPTIONS_BROAD_MAX) return
    throw new RouseError(
      "LIMIT_REACHED",
      `pattern: ${SUBSCRIPTIONS_BROAD_MAX} subscriptions begin with a wildcard already; begin with a name`,
      {
        details: { field: "pattern", limit: "subscriptions that begin with a wildcard", max: SUBSCRIPTIONS_BROAD_MAX },
      },
    )
  }

  #delete(id: string): void {
    const state = this.#view.subscription(id)
    if (state === undefined) return
    this.#view.subscriptions.set(id, undefined)
    this.#view.changed = true
    this.#write({ kind: "drop", serial: state.serial })
  }

  #link({ id, path, nowMs }: Change<"link">): void {
    const state = this.#known(id)
    const link = this.#linkOf(state, path)
    if (link.explicit) return
    if (state.named >= STREAMS_NAMED_MAX) {
      throw new RouseError("BAD_REQUEST", `streams: a subscription names at most ${STREAMS_NAMED_MAX}`, {
        details: { field: "streams" },
      })
    }
    const stream = this.#streamOf(path)
    const tail = isAlive(stream, nowMs) ? stream.tail : 0
    this.#view.changed = true
    this.#putLink(link, { ...link, linked: true, explicit: true, acked: link.linked ? link.acked : tail }, nowMs)
  }

  #unlink({ id, path }: Change<"unlink">): void {
    const link = this.#linkOf(this.#known(id), path)
    if (!link.explicit) return
    this.#view.changed = true
    const stays = link.matched
    this.#putLink(link, { ...link, explicit: false, linked: stays, pending: stays && link.pending }, 0)
  }

  #ackIfPossible(change: Change<"ack">): void {
    try {
      this.#ack(change)
    } catch (error) {
      if (!RouseError.is(error, "ACK_REFUSED")) throw error
    }
  }

  #ack({ id, path, offset, nowMs }: Change<"ack">): void {
    const state = this.#known(id)
    const link = this.#linkOf(state, path)
    const stream = this.#streamOf(path)
    if (!link.linked || !isAlive(stream, nowMs)) throw refused(path, "is no stream of this subscription")
    const acked = offset === START ? undefined : this.#positionOf(stream, offset)
    if (acked === undefined) throw refused(path, `${offset} is not an offset of this stream`)
    if (acked < link.acked) throw refused(path, `${offset} is before what was acknowledged`)
    if (acked > stream.tail) throw refused(path, `${offset} is after the stream's end`)
    const pending = acked < stream.tail
    const kept = pending || link.explicit || state.links <= STREAMS_SETTLED_MAX
    this.#putLink(link, { ...link, acked, pending, linked: kept }, nowMs)
  }

  #positionOf(stream: StreamState, offset: Offset): number | undefined {
    return positionOf(segmentsOf(lineOf(stream, { stream: this.#streamOf }), stream.tail), offset)
  }

  #putLink(before: LinkState, link: LinkState, nowMs: number): void {
    this.#view.setLink(link)
    if (link.linked) this.#write({ kind: "putLink", link })
    else if (before.linked) this.#write({ kind: "dropLink", serial: link.serial, path: link.path })
    const state = this.#known(link.id)
    const next = {
      ...state,
      pending: state.pending + Number(link.pending) - Number(before.pending),
      links: state.links + Number(link.linked) - Number(before.linked),
      named: state.named + Number(link.explicit) - Number(before.explicit),
    }
    const roused = next.idle && next.pending > 0 && next.dueAtMs === null
    const counted = roused ? { ...next, dueAtMs: nowMs } : next
    if (sameCounts(state, counted)) return
    this.#view.set(counted)
    this.#write({ kind: "count", state: counted })
  }

  #known(id: string): SubscriptionState {
    const state = this.#view.subscription(id)
    if (state !== undefined) return state
    throw new RouseError("UNKNOWN_SUBSCRIPTION", `there is no subscription ${id}`, { details: { id } })
  }

  #linkOf(state: SubscriptionState, path: string): LinkState {
    const known = this.#view.subscribers(path).find((link) => link.serial === state.serial)
    return (
      known ?? {
        serial: state.serial,
        id: state.id,
        path,
        linked: false,
        explicit: false,
        matched: false,
        acked: 0,
        pending: false,
      }
    )
  }
}

function sameCounts(a: SubscriptionState, b: SubscriptionState): boolean {
  return a.pending === b.pending && a.links === b.links && a.named === b.named && a.dueAtMs === b.dueAtMs
}

function refused(path: string, rule: string): RouseError {
  return new RouseError("ACK_REFUSED", `acks: ${path}: ${rule}`, { details: { field: "acks", path } })
}
