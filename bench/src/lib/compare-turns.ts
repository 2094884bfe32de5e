import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { System } from "../systems/system.ts"
import type { BenchContext, BenchResult } from "./bench.ts"
import type { Child } from "./child.ts"
import { Figures, type Metric } from "./figures.ts"
import { Connection } from "./http.ts"
import { runLoad } from "./load.ts"
import { handlerStarted } from "./handler-started.ts"
import { inTemporaryDirectory } from "./temporary.ts"

const ROUNDS = 3
const SECONDS = 2
const CLIENTS = 64
const AGENTS = 1_000
/** Agents that one client alone takes turns with: many, so that their histories stay short. */
const WARM_AGENTS = 200
const WARM_UP_SECONDS = 1.5
const SPAWN_SECONDS_MAX = 60

/** Only Rouse has targets. */
const of = "rouse"
const METRICS = {
  sentToStarted: { name: "message sent → handler started, p50", unit: "ms" },
  acceptedToStarted: { name: "message accepted → handler started, p50", unit: "ms", most: 1.5, of },
  warmP50: { name: "warm turn, p50", unit: "ms", most: 3, of },
  warmP99: { name: "warm turn, p99", unit: "ms", most: 15, of },
  freshP50: { name: "fresh agent's turn, p50", unit: "ms", most: 4, of },
  freshP99: { name: "fresh agent's turn, p99", unit: "ms" },
  rate: { name: "64 clients over 1,000 agents", unit: "turns/s", least: 2_000, of },
  loadP50: { name: "  its p50", unit: "ms" },
  loadP99: { name: "  its p99", unit: "ms" },
  serverCpu: { name: "  server's CPU a turn", unit: "ms" },
  clientCpu: { name: "  client's CPU a turn", unit: "ms" },
} as const satisfies Record<string, Metric>

interface Contestant {
  readonly system: System
  readonly child: Child
  /** Turns begun, over all rounds: agents are taken in this order. */
  fresh: number
}

/** Turns on each system in every round, one system after the other, so that what the machine does meanwhile meets all of them. */
export function compareTurns(context: BenchContext, systems: readonly System[], base: string): Promise<BenchResult> {
  return inTemporaryDirectory(async (directory) => {
    const figures = new Figures(base)
    const contestants: Contestant[] = []
    try {
      for (const system of systems) contestants.push(await begin(context, system, join(directory, system.name)))
      const rounds = context.rounds ?? ROUNDS
      for (let round = 1; round <= rounds; round++) {
        for (const contestant of contestants) {
          await withConnections(contestant.child, (connections) => measure(context, contestant, connections, figures))
        }
        context.say(`round ${round} of ${rounds} done`)
      }
    } finally {
      for (const { child } of contestants) await child.stop()
    }
    const notes = [
      "The client is one process on the same cores; its own cost is in the line of the server that stores nothing.",
      `"sent" is before the client writes the request; "accepted" is when the client has the 202 of a send without wait: 0 where the handler was faster than the answer.`,
    ]
    return { figures: figures.list(), notes }
  })
}

async function begin(context: BenchContext, system: System, directory: string): Promise<Contestant> {
  await mkdir(directory)
  const child = await system.start(directory)
  context.say(`${system.name}: making ${AGENTS} agents and warming up`)
  const { pid } = child
  await withConnections(child, async (connections) => {
    await runLoad({
      connections,
      seconds: SPAWN_SECONDS_MAX,
      turnsMax: AGENTS,
      pid,
      turn: (connection, n) => system.freshTurn(connection, agentName(n)),
    })
    await runLoad({
      connections,
      seconds: WARM_UP_SECONDS,
      pid,
      turn: (connection, n) => system.turn(connection, agentName(n)),
    })
  })
  return { system, child, fresh: 0 }
}

/** Connections of their own for each measurement: a server closes those that were idle while another system had its turn. */
async function withConnections(
  child: Child,
  work: (connections: readonly Connection[]) => Promise<void>,
): Promise<void> {
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(child.url)))
  try {
    await work(connections)
  } finally {
    for (const connection of connections) connection.close()
  }
}

async function measure(
  context: BenchContext,
  contestant: Contestant,
  connections: readonly Connection[],
  figures: Figures,
): Promise<void> {
  const { system, child } = contestant
  const seconds = context.seconds ?? SECONDS
  const [first] = connections
  if (first === undefined) throw new Error("a measurement needs connections")
  const one = [first]
  const add = (metric: Metric, value: number): void => figures.add(metric, system.name, value)
  const { pid } = child
  const warm = await runLoad({
    connections: one,
    seconds,
    pid,
    turn: (connection, n) => system.turn(connection, agentName(n % WARM_AGENTS)),
  })
  add(METRICS.warmP50, warm.latencyMs.p50)
  add(METRICS.warmP99, warm.latencyMs.p99)
  const fresh = await runLoad({
    connections: one,
    seconds,
    pid,
    turn: (connection) => system.freshTurn(connection, `fresh${contestant.fresh++}`),
  })
  add(METRICS.freshP50, fresh.latencyMs.p50)
  add(METRICS.freshP99, fresh.latencyMs.p99)
  if (system.startedType !== undefined) {
    const began = await handlerStarted(first, system.startedType, contestant.fresh)
    contestant.fresh += began.turns
    add(METRICS.sentToStarted, began.sentMs)
    add(METRICS.acceptedToStarted, began.acceptedMs)
  }
  const load = await runLoad({
    connections,
    seconds: seconds * 1.5,
    pid,
    turn: (connection, n) => system.turn(connection, agentName(n)),
  })
  add(METRICS.rate, load.turnsPerSecond)
  add(METRICS.loadP50, load.latencyMs.p50)
  add(METRICS.loadP99, load.latencyMs.p99)
  add(METRICS.serverCpu, load.serverCpuMs)
  add(METRICS.clientCpu, load.clientCpuMs)
}

function agentName(n: number): string {
  return `a${n % AGENTS}`
}
