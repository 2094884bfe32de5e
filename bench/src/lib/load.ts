import type { Connection } from "./http.ts"
import { type Latency, latency } from "./stats.ts"
import { cpuMs } from "./usage.ts"

export interface LoadOptions {
  readonly connections: readonly Connection[]
  /** Issue no new turn after this long. */
  readonly seconds: number
  /** And no more than these. */
  readonly turnsMax?: number
  /** The server's process, for its CPU time. */
  readonly pid: number
  /** One turn: turn `n` of all, counted from 0. */
  readonly turn: (connection: Connection, n: number) => Promise<void>
}

export interface LoadResult {
  readonly turns: number
  readonly turnsPerSecond: number
  readonly latencyMs: Latency
  /** Milliseconds of CPU a turn, user and system, all threads. */
  readonly serverCpuMs: number
  readonly clientCpuMs: number
}

const TURNS_MAX = 1_000_000

/** A closed loop: each connection begins its next turn when the one before is settled. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { connections, seconds, turnsMax = TURNS_MAX, pid, turn } = options
  const samples: number[] = []
  let begun = 0
  const serverBefore = cpuMs(pid)
  const clientBefore = process.cpuUsage()
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000
  const loop = async (connection: Connection): Promise<void> => {
    for (;;) {
      const at = performance.now()
      if (at >= endAt || begun >= turnsMax) return
      await turn(connection, begun++)
      samples.push(performance.now() - at)
    }
  }
  await Promise.all(connections.map(loop))
  const tookMs = performance.now() - startedAt
  const client = process.cpuUsage(clientBefore)
  return {
    turns: samples.length,
    turnsPerSecond: (samples.length * 1_000) / tookMs,
    latencyMs: latency(Float64Array.from(samples)),
    serverCpuMs: (cpuMs(pid) - serverBefore) / samples.length,
    clientCpuMs: (client.user + client.system) / 1_000 / samples.length,
  }
}
