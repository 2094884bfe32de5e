import type { SeededRandom } from "../../crash/core/random.ts"
import { TOOLS } from "../../crash/core/work.ts"
import type { Plan } from "./plan.ts"

export const WORKERS = 2
const WORKER_FAULTS_MAX = 5
/** How long after its messages a world's workers may still be busy with them, roughly. */
const WORKED_MS_MAX = 6_000
const AWAY_MS_MAX = 15_000
const WORKED = Object.entries(TOOLS).flatMap(([name, { worker }]) => (worker ? [name] : []))

/** Something that goes wrong with a tool worker. */
export interface PlannedWorkerFault {
  readonly name: string
  readonly worker: number
  readonly kind: "crash" | "freeze"
  readonly atMs: number
  /** How long it is away or hangs. Milliseconds. */
  readonly ms: number
}

/** Tool workers, calls for them, and what befalls them. */
export function withWorkers(
  plan: Omit<Plan, "crewed" | "workerFaults" | "forks" | "joint">,
  spanMs: number,
  random: SeededRandom,
): Omit<Plan, "forks" | "joint"> {
  if (!random.chance(0.25)) return { ...plan, crewed: false, workerFaults: [] }
  const messages = plan.messages.map((message) => {
    if (!random.chance(0.6)) return message
    const calls = Array.from({ length: 1 + random.below(2) }, (_, at) => {
      return `/call ${random.pick(WORKED)} {"ref":"${message.name}.w${at}"}`
    })
    return { ...message, content: [message.content, ...calls].join("\n") }
  })
  const workerFaults = Array.from({ length: random.below(WORKER_FAULTS_MAX + 1) }, (_, at): PlannedWorkerFault => {
    const kind = random.pick(["crash", "crash", "freeze"] as const)
    const ms = random.pick([5, 500, AWAY_MS_MAX]) * random.next()
    const atMs = random.below(spanMs + WORKED_MS_MAX)
    return { name: `w${at + 1}`, worker: random.below(WORKERS), kind, atMs, ms: Math.ceil(ms) }
  })
  return { ...plan, messages, crewed: true, workerFaults }
}
