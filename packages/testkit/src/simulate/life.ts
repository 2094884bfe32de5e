import { AsyncLocalStorage } from "node:async_hooks"
import type { World } from "./world.ts"

/** Whose work is being done: a timer that it sets is that life's. */
export const currentLife: AsyncLocalStorage<Life> = new AsyncLocalStorage()

/**
 * One life of a server: what it waits for goes through its gates, and when it is over nothing comes back through them.
 *
 * Invariants:
 * 1. After `crash` nothing of this life happens any more: no gate opens, no timer fires, no listener is told.
 * 2. While it is frozen the same holds, and all of it happens late, in order.
 */
export class Life {
  readonly id: number
  /** Resolves when it is over. */
  readonly over: Promise<void>
  readonly #world: World
  readonly #onGate: (life: Life) => void
  #isAlive = true
  #frozenUntilMs = 0
  #refusesUntilMs = 0
  #end: () => void = () => undefined

  /** @param onGate Is called at each gate, before it opens, and may do something to this life. */
  constructor(id: number, world: World, onGate: (life: Life) => void) {
    this.id = id
    this.#world = world
    this.#onGate = onGate
    this.over = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  get isFrozen(): boolean {
    return this.#frozenUntilMs > this.#world.nowMs
  }

  get refuses(): boolean {
    return this.#refusesUntilMs > this.#world.nowMs
  }

  /** Opens when the world comes to it; never after a crash. */
  gate(): Promise<void> {
    return new Promise((resolve) => {
      this.#world.after(this.#world.delay(), () =>
        this.run(() => {
          this.#onGate(this)
          this.run(resolve)
        }),
      )
    })
  }

  defer(ms: number, fn: () => void): () => void {
    let open = true
    const inContext = AsyncLocalStorage.snapshot()
    this.#world.after(ms, () =>
      this.run(() => {
        if (open) inContext(fn)
      }),
    )
    return () => {
      open = false
    }
  }

  /** Runs `fn` now, when the life thaws, or never. */
  run(fn: () => void): void {
    if (!this.#isAlive) return
    if (this.isFrozen) this.#world.after(this.#frozenUntilMs - this.#world.nowMs, () => this.run(fn))
    else fn()
  }

  freeze(ms: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.#world.nowMs + ms)
  }

  refuse(ms: number): void {
    this.#refusesUntilMs = this.#world.nowMs + ms
  }

  crash(): void {
    this.#isAlive = false
    this.#end()
  }
}
