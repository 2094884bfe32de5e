import type { SeededRandom } from "./random.ts"
import { CHILD, TOOLS, sinkOf } from "./work.ts"

/** Tools that nobody needs to allow, and no worker to run. */
const FREE = Object.entries(TOOLS).flatMap(([name, { approval, worker }]) => (approval || worker ? [] : [name]))
const STEPS_MAX = 3
const CALLS_MAX = 4
const TEXT = "The quick brown fox jumps over the lazy dog, again and again, until somebody pulls the plug."

/** The text of a message: its name, and commands for `rouse/echo` (some messages have none). Refs in it are unique in the run. */
export function scriptOf(name: string, agentId: string, random: SeededRandom): string {
  if (random.chance(0.1)) return name
  const steps = 1 + random.below(STEPS_MAX)
  const lines: string[] = []
  for (let step = 0; step < steps; step += 1) {
    if (step > 0) lines.push("/then")
    lines.push(...stepOf(`${name}.s${step}`, agentId, random))
  }
  return [name, ...lines].join("\n")
}

function stepOf(prefix: string, agentId: string, random: SeededRandom): string[] {
  const lines: string[] = []
  if (random.chance(0.2)) lines.push(`/think ${TEXT.slice(0, 20 + random.below(60))}`)
  if (random.chance(0.25)) lines.push("/slow 2", `/say ${TEXT.slice(0, 20 + random.below(60))}`)
  const calls = 1 + random.below(CALLS_MAX)
  for (let call = 0; call < calls; call += 1) {
    lines.push(`/call ${random.pick(FREE)} {"ref":"${prefix}c${call}"}`)
  }
  if (random.chance(0.3)) lines.push(`/send ${sinkOf(agentId)} ${prefix}n`)
  if (random.chance(0.08)) lines.push(`/spawn ${CHILD} ${prefix}k hello`)
  return lines
}
