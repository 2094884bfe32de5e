import type { ChildRow, MessageRow, RunRow, StepRow, TextRow } from "@rouse/protocol"
import type { LiveRow } from "@rouse/store"

interface Parsed<T> {
  readonly row: LiveRow
  readonly value: T
}

/** Collections whose rows have a place in what happened. The others only say how things are. */
const PLACED: ReadonlySet<string> = new Set([
  "message",
  "run",
  "step",
  "text",
  "reasoning",
  "tool_call",
  "approval",
  "tool_work",
  "child",
])

/**
 * An entity's rows in the order in which they came about, as far as they tell: a reader that shows a conversation as it reads then shows
 * the same as from the whole log. First what has no place in it; then run by run its messages, its steps with their parts and the children
 * spawned meanwhile, and the run; last what waits.
 *
 * @param rows Sorted by collection and key.
 */
export function orderRows(rows: readonly LiveRow[]): LiveRow[] {
  const placed = new Placed(rows)
  return [...rows.filter(({ collection }) => !PLACED.has(collection)), ...placed.order()]
}

class Placed {
  readonly #messages: Parsed<MessageRow>[]
  /** The place of each run's last message. */
  readonly #lastOf: ReadonlyMap<string | undefined, number>
  /** Messages before this place are ordered, or wait. */
  #told = 0
  readonly #waiting: Parsed<MessageRow>[] = []
  readonly #runs: Parsed<RunRow>[]
  readonly #steps: Map<string, Parsed<StepRow>[]>
  readonly #parts: Map<string, Parsed<TextRow>[]>
  /** Approvals and work, by the key of their call. */
  readonly #beside: Map<string, LiveRow[]>
  readonly #children: Parsed<ChildRow>[]
  readonly #ordered: LiveRow[] = []

  constructor(rows: readonly LiveRow[]) {
    const of = <T>(...names: string[]): Parsed<T>[] =>
      rows
        .filter(({ collection }) => names.includes(collection))
        .map((row) => ({ row, value: JSON.parse(row.json) as T }))
    this.#messages = of("message")
    this.#lastOf = new Map(this.#messages.map(({ value }, place) => [value.run, place]))
    this.#runs = of("run")
    this.#steps = Map.groupBy(of<StepRow>("step"), ({ value }) => value.run)
    this.#parts = Map.groupBy(of<TextRow>("text", "reasoning", "tool_call"), ({ value }) => value.step)
    this.#beside = Map.groupBy(
      rows.filter(({ collection }) => collection === "approval" || collection === "tool_work"),
      ({ key }) => key,
    )
    this.#children = of<ChildRow>("child").sort((a, b) => (a.value.at < b.value.at ? -1 : 1))
  }

  order(): readonly LiveRow[] {
    for (const run of this.#runs) this.#run(run)
    for (const message of [...this.#waiting, ...this.#messages.slice(this.#told)]) this.#ordered.push(message.row)
    for (const [run, steps] of this.#steps) this.#stepsOf(run, steps)
    for (const [step, parts] of this.#parts) this.#partsOf(step, parts)
    this.#ordered.push(...[...this.#beside.values()].flat())
    this.#childrenBefore(undefined)
    return this.#ordered
  }

  #run({ row, value }: Parsed<RunRow>): void {
    this.#messagesOf(row.key)
    this.#stepsOf(row.key, this.#steps.get(row.key) ?? [])
    if (value.endedAt !== undefined) this.#childrenBefore(value.endedAt)
    this.#ordered.push(row)
  }

  /** The run's messages, and what was settled without a run before them. */
  #messagesOf(run: string): void {
    const end = (this.#lastOf.get(run) ?? -1) + 1
    for (const message of this.#messages.slice(this.#told, end)) {
      if (message.value.status === "accepted") this.#waiting.push(message)
      else this.#ordered.push(message.row)
    }
    this.#told = Math.max(this.#told, end)
  }

  #stepsOf(run: string, steps: readonly Parsed<StepRow>[]): void {
    for (const step of steps) {
      this.#childrenBefore(step.value.startedAt)
      this.#ordered.push(step.row)
      this.#partsOf(step.row.key, this.#parts.get(step.row.key) ?? [])
    }
    this.#steps.delete(run)
  }

  #partsOf(step: string, parts: readonly Parsed<TextRow>[]): void {
    for (const { row } of parts.toSorted((a, b) => a.value.index - b.value.index)) {
      this.#ordered.push(row)
      this.#ordered.push(...(this.#beside.get(row.key) ?? []))
      this.#beside.delete(row.key)
    }
    this.#parts.delete(step)
  }

  #childrenBefore(at: string | undefined): void {
    const later = at === undefined ? -1 : this.#children.findIndex(({ value }) => value.at > at)
    for (const { row } of this.#children.splice(0, later < 0 ? Infinity : later)) this.#ordered.push(row)
  }
}
