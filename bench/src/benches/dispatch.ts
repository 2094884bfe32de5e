import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { bundle } from "../../../examples/test/bundle.ts"
import { type Module, startWorkerd } from "../../../examples/test/workerd.ts"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { median } from "../lib/stats.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { exactCpuMs } from "../lib/usage.ts"
import { remote, type RemoteSystem, WORKER, WORKER_WITH_PROVIDERS } from "../systems/remote.ts"
import { rouse } from "../systems/rouse.ts"

const ROUNDS = 3
const SECONDS = 2
const CLIENTS = 16
const AGENTS = 200
/** Starts of each Worker in a round. */
const COLD_STARTS = 12
/** Turns, each with a request to an empty Worker after it. */
const PAIRS = 400
const of = "webhook"
const METRICS = {
  p50: { name: "message sent → durable reply, p50", unit: "ms", most: 8, of },
  p99: { name: "message sent → durable reply, p99", unit: "ms" },
  serverCpu: { name: "  server's CPU a turn", unit: "ms" },
  handlerCpu: { name: "  handler's CPU a turn", unit: "ms" },
  handlerOurs: { name: "    of it beyond an empty Worker", unit: "ms", most: 1, of: "webhook to workerd" },
  rate: { name: "16 clients over 200 agents", unit: "turns/s" },
  cold: { name: "workerd: spawn → first answer", unit: "ms" },
  ours: { name: "  of it beyond an empty Worker", unit: "ms", most: 5, of: "agents/edge" },
  coldCpu: { name: "  CPU until then, all threads", unit: "ms" },
  oursCpu: { name: "  of that CPU beyond an empty Worker", unit: "ms" },
} as const satisfies Record<string, Metric>

const EMPTY = `export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("ok")
    const { answer } = await request.json()
    return Response.json({ answer })
  },
}`
/** Of a delivery and of an answer to it, about, in bytes. */
const DELIVERY_BYTES = 6_000
const ANSWER_BYTES = 1_200
const EMPTY_WORKER = [{ name: "worker.js", code: EMPTY, isEntry: true }]

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
  return {
    figures: figures.list(),
    notes: [
      "All processes are on the same cores. The model answers at once.",
      `Of the cold starts, each round's value is the median of ${COLD_STARTS} starts, and beyond an empty Worker of ${COLD_STARTS} pairs.`,
      "The empty Worker reads and answers JSON of the same sizes, in turns with the other. agents/edge has no providers; the other has all of them, and a schema library.",
    ],
  }
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
  const before = handler === 0 ? 0 : exactCpuMs(handler)
  const one = await runLoad({ connections: connections.slice(0, 1), seconds, pid, turn })
  add(METRICS.p50, one.latencyMs.p50)
  add(METRICS.p99, one.latencyMs.p99)
  add(METRICS.serverCpu, one.serverCpuMs)
  if (handler !== 0) {
    const each = (exactCpuMs(handler) - before) / one.turns
    add(METRICS.handlerCpu, each)
    const [first] = connections
    if (system.name === METRICS.handlerOurs.of && first)
      add(METRICS.handlerOurs, await beyondEmptyMs(handler, (n) => turn(first, n)))
  }
  const many = await runLoad({ connections, seconds, pid, turn })
  add(METRICS.rate, many.turnsPerSecond)
  for (const connection of connections) connection.close()
}

/**
 * A turn's CPU in the handler, beyond what an empty Worker takes to read and answer JSON of the same sizes. They take turns: one that is
 * asked again and again has its code and data in the processor's caches, and costs a third of one that others ran before.
 */
async function beyondEmptyMs(handler: number, turn: (n: number) => Promise<void>): Promise<number> {
  const empty = await startWorkerd(EMPTY_WORKER, {})
  const connection = await Connection.open(empty.url)
  const answer = Array.from({ length: ANSWER_BYTES / 20 }, (_, n) => `text number ${n}`)
  const rows = Array.from({ length: (DELIVERY_BYTES - ANSWER_BYTES) / 60 }, (_, n) => ({
    collection: "text",
    key: `k${n}`,
    value: { n },
  }))
  const body = JSON.stringify({ answer, rows })
  try {
    for (let n = 0; n < PAIRS / 4; n++) await connection.request("POST", "/", body)
    const before = exactCpuMs(handler) - exactCpuMs(empty.pid)
    for (let n = 0; n < PAIRS; n++) {
      await turn(n)
      await connection.request("POST", "/", body)
    }
    return (exactCpuMs(handler) - exactCpuMs(empty.pid) - before) / PAIRS
  } finally {
    connection.close()
    await empty.close()
  }
}

/** The Workers against an empty one, in turns, each in a process of its own. */
async function coldStarts(context: BenchContext, figures: Figures): Promise<void> {
  const workers = [
    { name: "agents/edge", chunks: await bundle(WORKER) },
    { name: "with all providers", chunks: await bundle(WORKER_WITH_PROVIDERS) },
  ]
  const [empty, ...ours] = [{ name: "empty Worker", chunks: EMPTY_WORKER }, ...workers].map(contender)
  if (empty === undefined) return
  for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
    for (let start = 0; start < COLD_STARTS; start++) {
      const all = [empty, ...ours]
      for (const one of start % 2 === 0 ? all : all.toReversed()) one.starts.push(await cold(one.chunks))
    }
    addStarts(figures, empty, ours)
    context.say(`cold starts: round ${round + 1} done`)
  }
}

interface ColdStart {
  readonly readyMs: number
  readonly cpuMs: number
}

interface Contender {
  readonly name: string
  readonly chunks: readonly Module[]
  /** Of the round under way. */
  readonly starts: ColdStart[]
}

function contender({ name, chunks }: Omit<Contender, "starts">): Contender {
  return { name, chunks, starts: [] }
}

/** Of each round the medians: a single start differs from the next by more than what is looked for. */
function addStarts(figures: Figures, empty: Contender, ours: readonly Contender[]): void {
  const base = empty.starts.splice(0)
  const of = (starts: readonly ColdStart[], key: keyof ColdStart): number => median(starts.map((start) => start[key]))
  figures.add(METRICS.cold, empty.name, of(base, "readyMs"))
  figures.add(METRICS.coldCpu, empty.name, of(base, "cpuMs"))
  for (const { name, starts } of ours) {
    const made = starts.splice(0)
    const beyond = made.map(({ readyMs, cpuMs }, i) => ({
      readyMs: readyMs - (base[i]?.readyMs ?? Number.NaN),
      cpuMs: cpuMs - (base[i]?.cpuMs ?? Number.NaN),
    }))
    figures.add(METRICS.cold, name, of(made, "readyMs"))
    figures.add(METRICS.ours, name, of(beyond, "readyMs"))
    figures.add(METRICS.coldCpu, name, of(made, "cpuMs"))
    figures.add(METRICS.oursCpu, name, of(beyond, "cpuMs"))
  }
}

async function cold(modules: readonly Module[]): Promise<ColdStart> {
  const workerd = await startWorkerd(modules, { ROUSE_URL: "http://127.0.0.1:9" })
  const cpu = exactCpuMs(workerd.pid)
  await workerd.close()
  return { readyMs: workerd.readyMs, cpuMs: cpu }
}
