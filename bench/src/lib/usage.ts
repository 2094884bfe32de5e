import { readdirSync, readFileSync } from "node:fs"

/** Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100

/** CPU time that a process has used in all its threads, user and system, milliseconds. Linux only. */
export function cpuMs(pid: number): number {
  return parseCpuMs(readFileSync(`/proc/${pid}/stat`, "utf8"))
}

/** The same without the granularity of a clock tick: of the threads that there are now. Linux only. */
export function exactCpuMs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const nanoseconds = threads.map((id) =>
    Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]),
  )
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6
}

/** CPU time of a process and all the children that it ever had, milliseconds: a Postgres is many. Linux only. */
export function familyCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  const [, , endedUser, endedSystem] = times(stat)
  const ended = ((endedUser + endedSystem) * 1_000) / TICKS_PER_SECOND
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + (exactOrNone(one) ?? 0), ended)
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim()
  return text === "" ? [] : text.split(" ").map(Number)
}

/** Undefined: it has ended meanwhile. */
function exactOrNone(pid: number): number | undefined {
  try {
    return exactCpuMs(pid)
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ESRCH"))
      return undefined
    throw error
  }
}

/** Bytes that a process has asked to read, from files and sockets, in all its threads. Linux only. */
export function bytesRead(pid: number): number {
  const chars = /^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]
  if (chars === undefined) throw new Error("no rchar: the process has ended")
  return Number(chars)
}

/** Resident memory of a process, megabytes (2^20). Linux only. */
export function residentMb(pid: number): number {
  return parseResidentMb(readFileSync(`/proc/${pid}/status`, "utf8"))
}

/** The name in parentheses may hold anything, parentheses too: the fields that count come after the last one. */
export function parseCpuMs(stat: string): number {
  const [user, system] = times(stat)
  return ((user + system) * 1_000) / TICKS_PER_SECOND
}

/** Clock ticks that a process and those of its children that have ended have used. */
export function parseTicks(stat: string): number {
  return times(stat).reduce((sum, ticks) => sum + ticks, 0)
}

/** Its own user and system time, and that of its ended children, in ticks. */
function times(stat: string): readonly [number, number, number, number] {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ")
  return [Number(fields[11]), Number(fields[12]), Number(fields[13]), Number(fields[14])]
}

export function parseResidentMb(status: string): number {
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  if (kib === undefined) throw new Error("no VmRSS: the process has ended")
  return Number(kib) / 1_024
}
