import { readFileSync } from "node:fs"
import { parseTicks } from "./usage.ts"

/**
 * How much of the machine other programs used meanwhile: all CPU time but what this process and those of its children that have ended
 * used. Begun before a bench; asked when its programs have ended. Linux only.
 *
 * @returns Their share of all cores' time, from 0 to 1.
 */
export function watchOthers(): () => number {
  const before = read()
  return () => {
    const after = read()
    const total = after.busy + after.idle - before.busy - before.idle
    const theirs = after.busy - before.busy - (after.own - before.own)
    return total > 0 ? Math.min(1, Math.max(0, theirs / total)) : 0
  }
}

interface Ticks {
  readonly busy: number
  readonly idle: number
  readonly own: number
}

function read(): Ticks {
  return {
    ...parseMachineTicks(readFileSync("/proc/stat", "utf8")),
    own: parseTicks(readFileSync("/proc/self/stat", "utf8")),
  }
}

/** The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal; guests are in user already. */
export function parseMachineTicks(stat: string): { readonly busy: number; readonly idle: number } {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = (
    stat.split("\n")[0] ?? ""
  )
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return { busy: user + nice + system + irq + softirq + steal, idle: idle + iowait }
}
