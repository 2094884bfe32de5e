import type { History, Violation } from "./history.ts"
import { isOwed } from "./judge-deliveries.ts"

/** P2 for what agents have in common: each job was put once, taken by one, and counted once. */
export function judgeJoint(history: History): readonly Violation[] {
  const { joint, loose } = history
  if (joint === undefined) return []
  const { jobs, count } = joint
  const broken = (what: string): Violation => ({ rule: "P2", where: "the tally", what })
  const done = jobs.filter((job) => job.by !== undefined)
  const takers = new Set(done.map((job) => job.by))
  const faults: Violation[] = []
  if (takers.size !== done.length)
    faults.push(broken(`${takers.size} messages ended ${done.length} jobs, not one each`))
  if (loose ? count > done.length : count !== jobs.length)
    faults.push(broken(`counts ${count}, and ${done.length} of ${jobs.length} jobs are done`))
  if (!loose && done.length !== jobs.length) faults.push(broken(`${jobs.length - done.length} jobs are not done`))
  const missing = history.sent.filter((sent) => isOwed(sent, history) && !jobs.some(({ id }) => id === sent.name))
  return [...faults, ...missing.map(({ name }) => broken(`has no job of ${name}`))]
}
