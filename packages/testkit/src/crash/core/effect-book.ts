import type { Effect } from "@rouse/protocol"

/** One execution of a tool, as the outside world saw it. */
export interface Execution {
  /** The call's idempotency key. */
  readonly key: string
  /** Which piece of work it was, in the driver's words: the same over every attempt. */
  readonly ref: string
  readonly tool: string
  readonly effect: Effect
}

/** Everything that happened under one idempotency key. */
export interface EffectEntry extends Execution {
  readonly executions: number
  /** Effects on the world: a backend that honours idempotency keys has one, however often it was asked. */
  readonly effects: number
  /** How often somebody asked whether it had happened. */
  readonly asked: number
}

/** The world outside: what was done to it, by idempotency key. It never crashes and never forgets. */
export class EffectBook {
  readonly #entries = new Map<string, EffectEntry>()
  readonly #asked = new Map<string, number>()

  /** Counts an execution. An idempotent backend has its effect at the first of a key only. */
  record(execution: Execution): EffectEntry {
    const before = this.#entries.get(execution.key)
    const repeats = execution.effect === "once" || execution.effect === "reconcilable"
    const effects = (before?.effects ?? 0) + (before === undefined || repeats ? 1 : 0)
    const entry = { ...execution, executions: (before?.executions ?? 0) + 1, effects, asked: 0 }
    this.#entries.set(execution.key, entry)
    return entry
  }

  /** Whether anything happened under this key: what `reconcile` asks. */
  find(key: string): EffectEntry | undefined {
    this.#asked.set(key, (this.#asked.get(key) ?? 0) + 1)
    return this.#entries.get(key)
  }

  report(): readonly EffectEntry[] {
    return [...this.#entries.values()].map((entry) => ({ ...entry, asked: this.#asked.get(entry.key) ?? 0 }))
  }
}
