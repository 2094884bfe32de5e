/** Which commits of a group stand and fall together: those that touch the same thing, and whoever touches another thing of theirs. */
export class Parts {
  readonly #first = new Map<string, number>()
  readonly #above = new Map<number, number>()

  touch(commit: number, key: string): void {
    const first = this.#first.get(key)
    if (first === undefined) this.#first.set(key, commit)
    else this.#join(first, commit)
  }

  /** The number of a commit's part. */
  partOf(commit: number): number {
    let part = commit
    for (;;) {
      const above = this.#above.get(part)
      if (above === undefined) return part
      part = above
    }
  }

  partOfKey(key: string): number | undefined {
    const first = this.#first.get(key)
    return first === undefined ? undefined : this.partOf(first)
  }

  #join(a: number, b: number): void {
    const [one, other] = [this.partOf(a), this.partOf(b)]
    if (one !== other) this.#above.set(Math.max(one, other), Math.min(one, other))
  }
}
