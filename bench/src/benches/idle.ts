import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { openStore } from "@rouse/store"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { acceptCommit, finishCommit, recordOf, spawnCommit } from "../lib/commits.ts"
import { diskBytes } from "../lib/disk.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { liveBytes, quietMb } from "../lib/server-memory.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { rouse, startRouse } from "../systems/rouse.ts"

const AGENTS = 100_000
/** Agents that take a turn before the steady state, which has every cache full, and as many others in it. */
const TURNS = 10_000
const CLIENTS = 64
const TURN_SECONDS_MAX = 15
const MB = 2 ** 20

const of = "rouse"
const METRICS = {
  ready: { name: "restart: spawn → ready", unit: "ms" },
  readyEmpty: { name: "restart on an empty directory", unit: "ms" },
  resident: { name: "resident after the restart", unit: "MB", most: 150, of },
  residentEmpty: { name: "resident on an empty directory", unit: "MB" },
  disk: { name: "on disk per agent", unit: "bytes" },
  afterWarming: { name: "resident after turns of 10,000 agents", unit: "MB" },
  afterOthers: { name: "resident after turns of 10,000 others", unit: "MB" },
  live: { name: "live after turns of 10,000 agents", unit: "MB" },
  growth: { name: "live growth per further agent that took a turn", unit: "bytes" },
} as const satisfies Record<string, Metric>

/** Agents that do nothing: what they take in memory, on disk, and of a restart's time. */
export const idle: Bench = {
  name: "idle",
  summary: "100,000 idle agents: memory after a restart, disk, and growth by turns of 10,000 different ones",
  run: (context) => inTemporaryDirectory((directory) => runIdle(context, directory)),
}

async function runIdle(context: BenchContext, directory: string): Promise<BenchResult> {
  const agents = Math.round(context.agents ?? AGENTS)
  const figures = new Figures()
  const add = (metric: Metric, value: number): void => figures.add(metric, of, value)
  await mkdir(join(directory, "empty"))
  await mkdir(join(directory, "full"))
  await onServer(context, join(directory, "empty"), async (child) => {
    add(METRICS.readyEmpty, child.readyMs)
    add(METRICS.residentEmpty, await quietMb(child))
  })
  const data = join(directory, "full", ".rouse")
  context.say(`seeding ${agents} agents of one turn each`)
  await seed(data, agents)
  add(METRICS.disk, (await diskBytes(data)).allocated / agents)
  await onServer(context, join(directory, "full"), async (child) => {
    add(METRICS.ready, child.readyMs)
    add(METRICS.resident, await quietMb(child))
    const each = Math.min(TURNS, Math.floor(agents / 2))
    context.say(`turns of ${each} agents, and of ${each} others`)
    await turns(context, child, 0, each)
    add(METRICS.afterWarming, child.residentMb)
    const live = await liveBytes(child)
    add(METRICS.live, live / MB)
    await turns(context, child, each, each)
    add(METRICS.afterOthers, child.residentMb)
    add(METRICS.growth, ((await liveBytes(child)) - live) / each)
  })
  const notes = [
    `${agents} agents, each with one settled turn. They are committed straight to the store in the shape of the server's three commits, because the HTTP API would take ${Math.round(agents / 1_500)} s or more.`,
    "Under load the collector lets resident memory grow to a plateau and caches fill. Live is what the main thread holds after a full collection; its growth is per agent of the second 10,000, when the caches are full.",
  ]
  return { figures: figures.list(), notes }
}

/** The commits that a server would have made, as many at once as the store takes well. */
async function seed(directory: string, agents: number): Promise<void> {
  const store = await openStore({ directory, clock: Date.now, sync: "off" })
  let next = 0
  const loop = async (): Promise<void> => {
    while (next < agents) {
      const record = recordOf(agentName(next++))
      // In one turn of the loop, so that they share a group: the store keeps their order.
      await Promise.all([
        store.commit(spawnCommit(record)),
        store.commit(acceptCommit(record)),
        store.commit(finishCommit(record)),
      ])
    }
  }
  try {
    await Promise.all(Array.from({ length: 128 }, loop))
  } finally {
    await store.close()
  }
}

async function onServer(
  context: BenchContext,
  directory: string,
  work: (child: Child) => Promise<void>,
): Promise<void> {
  const child = await startRouse({ program: context.rouse, directory, nodeArgs: ["--expose-gc"] })
  try {
    await work(child)
  } finally {
    await child.stop()
  }
}

/** A turn of each of `count` agents. */
async function turns(context: BenchContext, child: Child, from: number, count: number): Promise<void> {
  const system = rouse(context.rouse)
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(child.url)))
  const { turns: done } = await runLoad({
    connections,
    seconds: TURN_SECONDS_MAX,
    turnsMax: count,
    pid: child.pid,
    turn: (connection, n) => system.turn(connection, agentName(from + n)),
  })
  for (const connection of connections) connection.close()
  if (done < count) context.say(`only ${done} of ${count} turns were done in ${TURN_SECONDS_MAX} s`)
}

function agentName(n: number): string {
  return `agent${n}`
}
