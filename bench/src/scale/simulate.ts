import { latency, type Latency } from "../lib/stats.ts"
import { type Costs, MACHINES, type Machines, MEASURED, type ScaleOptions } from "./costs.ts"
import { Database } from "./database.ts"
import { Replica } from "./replica.ts"
import { seeded, Timeline } from "./timeline.ts"
import type { QueuedWake, World } from "./world.ts"

/** What a resource's share of use must pass to be what bounds the rest. */
const FULL = 0.9

export type Bound =
  | "nothing"
  | "a replica's CPU"
  | "Postgres' CPU"
  | "the WAL's disk"
  | "room for wakes"
  | "notifications"

export interface ScaleResult {
  readonly settledPerSecond: number
  /** From the offer to the durable reply, less the model's own time. */
  readonly beyondModelMs: Latency
  /** Shares of use, from 0 to 1. */
  readonly replicaCpu: number
  readonly databaseCpu: number
  readonly telling: number
  readonly walMbPerSecond: number
  readonly connections: number
  /** Commits a second that were refused because another replica came first. */
  readonly refusedPerSecond: number
  readonly boundBy: Bound
}

/** Has agents take turns in virtual time. The same for the same options. */
export function simulateScale(options: ScaleOptions): ScaleResult {
  const costs = { ...MEASURED, ...options.costs }
  const machines = { ...MACHINES, ...options.machines }
  const world = worldOf(options.replicas, costs, machines)
  offer(world, options)
  // Turns that were offered at the beginning are settled by then, and rates are what they stay.
  world.timeline.runUntil(machines.modelMs + options.measuredMs / 2)
  const before = read(world)
  const latencies: number[] = []
  world.settled = ({ offeredAtMs }) => void latencies.push(world.timeline.nowMs - offeredAtMs - machines.modelMs)
  world.timeline.runUntil(world.timeline.nowMs + options.measuredMs)
  return resultOf(world, before, latencies, options)
}

function worldOf(count: number, costs: Costs, machines: Machines): World {
  const timeline = new Timeline()
  const replicas: Replica[] = []
  const queue: QueuedWake[] = []
  const world: World = {
    timeline,
    costs,
    machines,
    database: new Database(timeline, costs, machines),
    replicas,
    sharers: Array.from({ length: count }, (_, n) => ({ id: `replica${n}`, capacity: machines.wakesMax })),
    running: new Map(),
    queue,
    refused: 0,
    leave: (wake) => {
      const at = queue.indexOf(wake)
      if (at >= 0) queue.splice(at, 1)
      return at >= 0
    },
    tellOfRoom: () => {
      for (const replica of replicas) replica.look()
    },
    settled: () => undefined,
  }
  for (const { id } of world.sharers) replicas.push(new Replica(id, world))
  return world
}

/** Messages come by chance, to agents by chance, at replicas by chance: a load balancer that knows nothing. */
function offer(world: World, { turnsPerSecond, agents, seed }: ScaleOptions): void {
  const random = seeded(seed)
  const next = (): void => {
    world.timeline.after((-Math.log(1 - random()) * 1_000) / turnsPerSecond, () => {
      const replica = world.replicas[Math.floor(random() * world.replicas.length)] as Replica
      replica.accept(Math.floor(random() * agents), { offeredAtMs: world.timeline.nowMs, isSettled: false })
      next()
    })
  }
  next()
}

interface Reading {
  readonly replicas: readonly number[]
  readonly database: number
  readonly telling: number
  readonly walBytes: number
  readonly flushMs: number
  readonly refused: number
}

function read({ replicas, database, refused }: World): Reading {
  return {
    replicas: replicas.map(({ cpu }) => cpu.busyMs),
    database: database.cpu.busyMs,
    telling: database.telling.busyMs,
    walBytes: database.walBytes,
    flushMs: database.flushBusyMs,
    refused: database.stale + refused,
  }
}

function resultOf(world: World, before: Reading, latencies: number[], options: ScaleOptions): ScaleResult {
  const { measuredMs } = options
  const { replicas, database, machines, costs } = world
  const shares = replicas.map(({ cpu }, at) => cpu.share(before.replicas[at] as number, measuredMs))
  const now = read(world)
  // In this order: what is full makes what comes after it look full, too.
  const used = {
    "the WAL's disk": (now.flushMs - before.flushMs) / measuredMs,
    "Postgres' CPU": database.cpu.share(before.database, measuredMs),
    notifications: database.telling.share(before.telling, measuredMs),
    "a replica's CPU": Math.max(...shares),
    "room for wakes": Math.max(...replicas.map(({ taken }) => taken / machines.wakesMax)),
  }
  const full = (Object.keys(used) as (keyof typeof used)[]).find((resource) => used[resource] >= FULL)
  return {
    settledPerSecond: (latencies.length * 1_000) / measuredMs,
    beyondModelMs: latencies.length === 0 ? NEVER : latency(Float64Array.from(latencies)),
    replicaCpu: used["a replica's CPU"],
    databaseCpu: used["Postgres' CPU"],
    telling: used.notifications,
    walMbPerSecond: (now.walBytes - before.walBytes) / measuredMs / 1_000,
    connections: replicas.length * costs.connections,
    refusedPerSecond: ((now.refused - before.refused) * 1_000) / measuredMs,
    boundBy: full ?? "nothing",
  }
}

const NEVER: Latency = { p50: Number.POSITIVE_INFINITY, p99: Number.POSITIVE_INFINITY, max: Number.POSITIVE_INFINITY }
