import type { SeededRandom } from "../../crash/core/random.ts"
import { scriptOf } from "../../crash/core/script.ts"
import type { Plan } from "./plan.ts"

const FORKS_MAX = 3
const FORKED_MS_MAX = 2_000
/** Names of messages to forks: apart from all others. */
const FORK_MESSAGE_FIRST = 900

/** Somebody who forks an agent somewhere in its log, and rouses the fork. */
export interface PlannedFork {
  readonly name: string
  readonly agent: string
  readonly atMs: number
  /** How far along what the log is then, from 0 to 1. */
  readonly share: number
  /** What rouses it; it goes on with what was open when absent. */
  readonly message?: string
}

/** Forks of an agent without a budget. What its model would send and spawn is left out: a fork would do it once more, to the same address. */
export function withForks(
  plan: Omit<Plan, "forks" | "joint">,
  spanMs: number,
  random: SeededRandom,
): Omit<Plan, "joint"> {
  const bounded = new Set(plan.budgets.map(({ agent }) => agent))
  const free = [...new Set(plan.messages.map(({ agent }) => agent))].filter((agent) => !bounded.has(agent))
  if (free.length === 0 || !random.chance(0.35)) return { ...plan, forks: [] }
  const agent = random.pick(free)
  const messages = plan.messages.map((message) =>
    message.agent === agent ? { ...message, content: message.content.replaceAll(/\n\/(send|spawn) .*/g, "") } : message,
  )
  const forks = Array.from({ length: 1 + random.below(FORKS_MAX) }, (_, at): PlannedFork => {
    const name = `k${at + 1}`
    const message = random.chance(0.5) ? { message: scriptOf(`m${FORK_MESSAGE_FIRST + at}`, name, random) } : {}
    return { name, agent, atMs: random.below(spanMs + FORKED_MS_MAX), share: random.next(), ...message }
  })
  return { ...plan, messages, forks }
}
