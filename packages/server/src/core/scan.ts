import {
  type ChangeEvent,
  HANDLER_COLLECTIONS,
  LOG_ONLY_COLLECTIONS,
  type Row,
  SERVER_COLLECTIONS,
  type WakeRow,
} from "@rouse/protocol"

/** The wake under way at a point, as far as the log tells. */
export interface OpenWake {
  readonly id: string
  readonly attempt: number
  /** What its first commit took; null when there was none yet. */
  readonly taken: readonly string[] | null
}

const OVER: ReadonlySet<WakeRow["outcome"]> = new Set([
  "completed",
  "failed",
  "suspended",
  "interrupted",
  "dead",
  "stopped",
])
const SERVERS: ReadonlySet<string> = new Set(SERVER_COLLECTIONS)
const HANDLERS: ReadonlySet<string> = new Set(HANDLER_COLLECTIONS.filter((name) => name !== "delta"))

/**
 * What a log amounts to, gathered from its end: the first that is met of a row is its newest value, so nothing that was overwritten is kept.
 *
 * Invariants:
 * 1. Batches come newest first; so does what is seen.
 * 2. Of the wake that was under way, the oldest batch that a handler wrote is its first commit: it says what the wake took.
 */
export class BackwardScan {
  readonly #rows = new Map<string, Row | undefined>()
  readonly #ended = new Set<string>()
  #wake: { readonly id: string; readonly attempt: number; readonly isOver: boolean } | undefined
  #begun = false
  #taken: readonly string[] | null = null
  /** When the newest change that tells a time was made, milliseconds since the Unix epoch. */
  timeMs: number | undefined

  /** Adds the batch before those that were added. */
  before(batch: readonly ChangeEvent[]): void {
    for (const event of batch.toReversed()) this.#add(event)
    this.timeMs ??= timeOf(batch)
    if (!this.#begun && this.#wake !== undefined && batch.some(isHandlers)) {
      this.#taken = batch.filter(isTaken).map((event) => event.key)
    }
  }

  /** The rows at the point, sorted by collection and key. */
  rows(): readonly Row[] {
    return [...this.#rows]
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .flatMap(([, row]) => (row === undefined ? [] : [row]))
  }

  /** Wakes that had ended. */
  get wakes(): number {
    return this.#ended.size
  }

  get wake(): OpenWake | undefined {
    if (this.#wake === undefined || this.#wake.isOver) return undefined
    const { id, attempt } = this.#wake
    return { id, attempt, taken: this.#taken }
  }

  #add({ type, key, value, headers }: ChangeEvent): void {
    if (type === "wake") this.#seeWake(key, value as unknown as WakeRow, headers.operation)
    if (LOG_ONLY_COLLECTIONS.has(type)) return
    const name = `${type}\n${key}`
    if (this.#rows.has(name)) return
    this.#rows.set(name, headers.operation === "delete" ? undefined : { collection: type, key, value: value ?? null })
  }

  #seeWake(id: string, { attempt, outcome }: WakeRow, operation: string): void {
    const isOver = outcome !== undefined && OVER.has(outcome)
    this.#wake ??= { id, attempt, isOver }
    if (isOver) this.#ended.add(id)
    if (id === this.#wake.id && operation === "insert") this.#begun = true
  }
}

/** When a batch was made, as its rows tell; undefined when they do not. */
export function timeOf(batch: readonly ChangeEvent[]): number | undefined {
  const times = batch.flatMap(({ value }) => {
    const { at, startedAt, endedAt } = (value ?? {}) as { readonly [name: string]: unknown }
    return [at, startedAt, endedAt].flatMap((time) => (typeof time === "string" ? [Date.parse(time)] : []))
  })
  const known = times.filter((time) => Number.isFinite(time))
  return known.length === 0 ? undefined : Math.max(...known)
}

function isHandlers({ type }: ChangeEvent): boolean {
  return HANDLERS.has(type) || !(SERVERS.has(type) || type === "delta")
}

function isTaken({ type, value }: ChangeEvent): boolean {
  return type === "message" && (value as { readonly status?: string } | undefined)?.status === "taken"
}
