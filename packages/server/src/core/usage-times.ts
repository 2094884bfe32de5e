import type { UsageSum, UsageTime } from "@rouse/protocol"
import { addSums, NO_USAGE } from "./usage-book.ts"

/** Groups that are told apart over time; the others are one. */
const GROUPS_APART_MAX = 8

/** What was used when, by group. */
export class UsageTimes {
  readonly #sums = new Map<string, Map<string, UsageSum>>()

  add(period: string, key: string, sum: UsageSum): void {
    const groups = this.#sums.get(period) ?? new Map<string, UsageSum>()
    this.#sums.set(period, groups)
    groups.set(key, addSums(groups.get(key) ?? NO_USAGE, sum))
  }

  /** Oldest first. @param dearest The groups, the dearest first. */
  of(dearest: readonly string[]): readonly UsageTime[] {
    const apart = new Set(dearest.slice(0, GROUPS_APART_MAX))
    const periods = [...this.#sums].sort(([a], [b]) => (a < b ? -1 : 1))
    return periods.flatMap(([period, groups]) => {
      const sums = new Map<string, UsageSum>()
      for (const [key, sum] of groups) {
        const shown = apart.has(key) ? key : ""
        sums.set(shown, addSums(sums.get(shown) ?? NO_USAGE, sum))
      }
      return [...sums].map(([key, sum]) => ({ period, key, ...sum }))
    })
  }
}
