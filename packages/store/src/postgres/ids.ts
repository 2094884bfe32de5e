import { Missing } from "./facts.ts"

/** Numbers that a block has: the increment of the sequence. */
export const IDS_PER_BLOCK = 256

/**
 * Identities that one lane of commits has taken from the database, a block at a time. None is given to two plans that are both done; those of a
 * plan that was begun anew are given again.
 */
export class Ids {
  readonly #blocks: number[] = []
  /** Numbers given, from the first block on; and those that no plan can give back. */
  #given = 0
  #spent = 0

  /** @throws {Missing} when there are none left. */
  take(): number {
    const id = this.#at(this.#given)
    if (id === undefined) throw new Missing("ids")
    this.#given += 1
    return id
  }

  /** Passes those over that are not above an identity: a fork sorts after its source. */
  keepAbove(least: number): void {
    for (let id = this.#at(this.#given); id !== undefined && id <= least; id = this.#at(this.#given)) this.#given += 1
  }

  /** The plans since the last `spend` begin anew. */
  restart(): void {
    this.#given = this.#spent
  }

  spend(): void {
    const used = Math.floor(this.#given / IDS_PER_BLOCK)
    this.#blocks.splice(0, used)
    this.#given -= used * IDS_PER_BLOCK
    this.#spent = this.#given
  }

  refill(start: number): void {
    this.#blocks.push(start)
  }

  #at(position: number): number | undefined {
    const start = this.#blocks[Math.floor(position / IDS_PER_BLOCK)]
    return start === undefined ? undefined : start + (position % IDS_PER_BLOCK)
  }
}
