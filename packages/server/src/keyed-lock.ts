/**
 * One holder at a time for each key, first come first served. Holds nothing for a key that nobody holds.
 *
 * It only spares this process useless conflicts: what keeps a write correct is the version guard in its commit.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>()

  /** Waits for every key, in one global order so that two holders cannot wait for each other. Returns the release. */
  async acquire(keys: readonly string[]): Promise<() => void> {
    const ordered = keys.length > 1 ? [...new Set(keys)].sort() : keys
    const releases: (() => void)[] = []
    for (const key of ordered) releases.push(await this.#one(key))
    return () => {
      for (const release of releases) release()
    }
  }

  async #one(key: string): Promise<() => void> {
    const before = this.#tails.get(key)
    let open = (): void => undefined
    const tail = new Promise<void>((resolve) => {
      open = resolve
    })
    this.#tails.set(key, tail)
    if (before) await before
    return () => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
      open()
    }
  }
}
