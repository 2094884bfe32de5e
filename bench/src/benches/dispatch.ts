import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { bundle } from "../../../examples/test/bundle.ts"
import { startWorkerd } from "../../../examples/test/workerd.ts"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { cpuMs } from "../lib/usage.ts"
import { remote, type RemoteSystem, WORKER } from "../systems/remote.ts"
import { rouse } from "../systems/rouse.ts"

const ROUNDS = 3
const SECONDS = 2
const CLIENTS = 16
const AGENTS = 200
const COLD_ROUNDS = 7
const of = "webhook"
const METRICS = {
  p50: { name: "message sent → durable reply, p50", unit: "ms", most: 8, of },
  p99: { name: "message sent → durable reply, p99", unit: "ms" },
  serverCpu: { name: "  server's CPU a turn", unit: "ms" },
  handlerCpu: { name: "  handler's CPU a turn", unit: "ms", most: 1, of: "webhook to workerd" },
  rate: { name: "16 clients over 200 agents", unit: "turns/s" },
  cold: { name: "workerd: spawn → first answer", unit: "ms" },
  ours: { name: "  of it our code, beside an empty Worker", unit: "ms", most: 5, of: "agents" },
} as const satisfies Record<string, Metric>

const EMPTY = `export default { fetch: () => new Response("ok") }`

interface Contestant {
  readonly system: RemoteSystem
  readonly child: Child
}

/** One durable turn with the handler in the server's process, behind a webhook, on workerd, and in a worker that pulls. */
export const dispatch: Bench = {
  name: "dispatch",
  summary: "one durable turn whose handler is elsewhere: behind a webhook, on workerd, pulling",
  run: (context) => inTemporaryDirectory((directory) => runDispatch(context, directory)),
}

async function runDispatch(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures("in process")
  const { rouse: program } = context
  const here: RemoteSystem = { ...rouse(program, "in process"), handlerPid: () => 0, stop: async () => undefined }
  const systems = [here, remote(program, "webhook"), remote(program, "workerd"), remote(program, "pull")]
  const contestants: Contestant[] = []
  try {
    for (const system of systems) contestants.push(await begin(system, join(directory, system.name)))
    for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
      for (const contestant of contestants) await measure(context, contestant, figures)
      context.say(`round ${round + 1} done`)
    }
  } finally {
    for (const { system, child } of contestants) {
      await system.stop()
      await child.stop()
    }
  }
  await coldStarts(context, figures)
  return { figures: figures.list(), notes: ["All processes are on the same cores. The model answers at once."] }
}

async function begin(system: RemoteSystem, directory: string): Promise<Contestant> {
  await mkdir(directory)
  const child = await system.start(directory)
  const connection = await Connection.open(child.url)
  for (let agent = 0; agent < AGENTS; agent++) await system.freshTurn(connection, `a${agent}`)
  connection.close()
  return { system, child }
}

async function measure(context: BenchContext, { system, child }: Contestant, figures: Figures): Promise<void> {
  const seconds = context.seconds ?? SECONDS
  const { pid } = child
  const add = (metric: Metric, value: number): void => figures.add(metric, system.name, value)
  const turn = (connection: Connection, n: number): Promise<void> => system.turn(connection, `a${n % AGENTS}`)
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(child.url)))
  const handler = system.handlerPid()
  const before = handler === 0 ? 0 : cpuMs(handler)
  const one = await runLoad({ connections: connections.slice(0, 1), seconds, pid, turn })
  add(METRICS.p50, one.latencyMs.p50)
  add(METRICS.p99, one.latencyMs.p99)
  add(METRICS.serverCpu, one.serverCpuMs)
  if (handler !== 0) add(METRICS.handlerCpu, (cpuMs(handler) - before) / one.turns)
  const many = await runLoad({ connections, seconds, pid, turn })
  add(METRICS.rate, many.turnsPerSecond)
  for (const connection of connections) connection.close()
}

/** The Worker against an empty one, in turns, each in a process of its own. */
async function coldStarts(context: BenchContext, figures: Figures): Promise<void> {
  const chunks = await bundle(WORKER)
  for (let round = 0; round < (context.rounds ?? COLD_ROUNDS); round++) {
    const empty = await coldMs([{ name: "worker.js", code: EMPTY, isEntry: true }])
    const agents = await coldMs(chunks)
    figures.add(METRICS.cold, "empty Worker", empty)
    figures.add(METRICS.cold, "agents", agents)
    figures.add(METRICS.ours, "agents", agents - empty)
  }
}

async function coldMs(modules: Parameters<typeof startWorkerd>[0]): Promise<number> {
  const workerd = await startWorkerd(modules, { ROUSE_URL: "http://127.0.0.1:9" })
  await workerd.close()
  return workerd.readyMs
}
