import { mergeDelta } from "@rouse/protocol"
import type { ChangeEvent, DeltaRow } from "@rouse/protocol"

/**
 * What the newest part of an entity's log tells that its rows do not: the text so far of parts that are streaming, and the last wake.
 * Neither is ever a live row (`LOG_ONLY_COLLECTIONS`).
 *
 * Events are given from the newest batch to the oldest; `done` says when no older one can matter.
 */
export class Recent {
  /** Running steps whose last beginning was not seen yet. */
  readonly #unseen: Set<string>
  readonly #running: ReadonlySet<string>
  #wakeSeen = false
  #events: readonly ChangeEvent[] = []

  /** @param running Keys of the steps under way. */
  constructor(running: Iterable<string>) {
    this.#running = new Set(running)
    this.#unseen = new Set(this.#running)
  }

  get done(): boolean {
    return this.#unseen.size === 0 && this.#wakeSeen
  }

  /** Takes the events just before those it has. */
  before(events: readonly ChangeEvent[]): void {
    for (const { type, key } of events) {
      if (type === "step") this.#unseen.delete(key)
      if (type === "wake") this.#wakeSeen = true
    }
    this.#events = [...events.filter(({ type }) => RECENT.has(type)), ...this.#events]
  }

  /** As changes that insert them. */
  changes(): readonly ChangeEvent[] {
    const deltas = new Map<string, DeltaRow>()
    let wake: ChangeEvent | undefined
    for (const event of this.#events) {
      if (event.type === "wake") wake = event
      else this.#apply(deltas, event)
    }
    const streaming = [...deltas].map(([key, value]) =>
      inserted("delta", key, value as unknown as ChangeEvent["value"]),
    )
    return wake === undefined ? streaming : [...streaming, inserted("wake", wake.key, wake.value)]
  }

  /** A step that is written again while it runs begins without what was half written. */
  #apply(deltas: Map<string, DeltaRow>, { type, key, value, headers }: ChangeEvent): void {
    if (type === "step") {
      for (const [part, delta] of deltas) if (delta.step === key) deltas.delete(part)
      return
    }
    if (type !== "delta" || headers.operation === "delete") return void deltas.delete(key)
    const delta = value as unknown as DeltaRow
    if (this.#running.has(delta.step)) deltas.set(key, mergeDelta(deltas.get(key), delta))
  }
}

/** What the streaming of a part is told by: its pieces, its settled row, and its step's beginning. */
const RECENT: ReadonlySet<string> = new Set(["step", "delta", "text", "reasoning", "wake"])

function inserted(type: string, key: string, value: ChangeEvent["value"]): ChangeEvent {
  return { type, key, ...(value === undefined ? {} : { value }), headers: { operation: "insert" } }
}
