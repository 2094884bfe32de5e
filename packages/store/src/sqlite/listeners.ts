import type { EntityRecord } from "../entity.ts"
import type { StreamListener } from "../stream.ts"

type StreamEvent = Parameters<StreamListener>[0]

/** Who wants to know of what became durable. An entry a watched stream; none for the others. */
export class Listeners {
  readonly #streams = new Map<string, Set<StreamListener>>()
  readonly #entities = new Set<(record: EntityRecord) => void>()
  readonly #subscriptions = new Set<(dueAtMs: number) => void>()
  readonly #observations = new Set<(dueAtMs: number) => void>()

  watchStream(path: string, listener: StreamListener): () => void {
    /** A registration of its own, so that the same function may listen twice. */
    const registration: StreamListener = (event) => {
      listener(event)
    }
    const others = this.#streams.get(path)
    if (others === undefined) this.#streams.set(path, new Set([registration]))
    else others.add(registration)
    return () => {
      const registered = this.#streams.get(path)
      registered?.delete(registration)
      if (registered?.size === 0) this.#streams.delete(path)
    }
  }

  watchEntities(listener: (record: EntityRecord) => void): () => void {
    const registration = (record: EntityRecord): void => {
      listener(record)
    }
    this.#entities.add(registration)
    return () => {
      this.#entities.delete(registration)
    }
  }

  watchSubscriptions(listener: (dueAtMs: number) => void): () => void {
    const registration = (dueAtMs: number): void => {
      listener(dueAtMs)
    }
    this.#subscriptions.add(registration)
    return () => {
      this.#subscriptions.delete(registration)
    }
  }

  watchObservations(listener: (dueAtMs: number) => void): () => void {
    const registration = (dueAtMs: number): void => {
      listener(dueAtMs)
    }
    this.#observations.add(registration)
    return () => {
      this.#observations.delete(registration)
    }
  }

  tellObservations(dueAtMs: number): void {
    for (const listener of [...this.#observations]) tell(listener, dueAtMs)
  }

  tellSubscriptions(dueAtMs: number): void {
    for (const listener of [...this.#subscriptions]) tell(listener, dueAtMs)
  }

  get hasEntityListeners(): boolean {
    return this.#entities.size > 0
  }

  tellStream(path: string, event: StreamEvent): void {
    const listeners = this.#streams.get(path)
    if (listeners === undefined) return
    for (const listener of [...listeners]) tell(listener, event)
  }

  tellEntity(record: EntityRecord): void {
    for (const listener of [...this.#entities]) tell(listener, record)
  }
}

/** A listener that throws is a bug of its own: it keeps nobody else from being told, and is not hidden. */
function tell<T>(listener: (event: T) => void, event: T): void {
  try {
    listener(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}
