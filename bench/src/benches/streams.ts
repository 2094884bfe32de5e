import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures, type Metric } from "../lib/figures.ts"
import type { Connection } from "../lib/http.ts"
import { runLoad } from "../lib/load.ts"
import { append, connections, create, createAll, MESSAGE_300 } from "../lib/stream-client.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { reference, rouseStreams, type StreamSystem } from "../systems/streams.ts"

const ROUNDS = 3
const SECONDS = 2
const WARM_SECONDS = 1

/** What is asked for, by how many connections, and what it must reach. */
interface Workload {
  readonly name: string
  readonly connections: number
  readonly streams: number
  readonly least?: number
  readonly p50?: number
  readonly p99?: number
  readonly cpu?: number
  /** One operation: connection `at`, operation `n` of all. Whether it was taken. */
  readonly turn: (connection: Connection, at: number, n: number) => Promise<boolean>
}

const WORKLOADS: readonly Workload[] = [
  {
    name: "append, 64 connections, separate streams",
    connections: 64,
    streams: 64,
    least: 10_000,
    p50: 6,
    p99: 25,
    cpu: 90,
    turn: (connection, at) => append(connection, `s${at}`, MESSAGE_300),
  },
  {
    name: "append, 256 streams at once",
    connections: 256,
    streams: 256,
    least: 10_000,
    turn: (connection, at) => append(connection, `s${at}`, MESSAGE_300),
  },
  {
    name: "append, 64 connections, one hot stream",
    connections: 64,
    streams: 1,
    least: 10_000,
    turn: (connection) => append(connection, "s0", MESSAGE_300),
  },
  { name: "append, one writer", connections: 1, streams: 1, p50: 1, turn: (c) => append(c, "s0", MESSAGE_300) },
  {
    name: "create with a body",
    connections: 64,
    streams: 0,
    least: 8_000,
    turn: (connection, _, n) => create(connection, `new${n}`, MESSAGE_300),
  },
]

/** Writing, beside the reference server. */
export const streams: Bench = {
  name: "streams",
  summary: "appends and creates of 300-byte messages over HTTP, beside @durable-streams/server on files",
  run: (context) => inTemporaryDirectory((directory) => runStreams(context, directory)),
}

async function runStreams(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures(reference.name)
  const systems = [reference, rouseStreams(context.rouse)]
  if (context.against !== undefined) systems.push(rouseStreams(context.against, "against"))
  for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
    for (const workload of WORKLOADS) {
      for (const system of systems) {
        const place = join(directory, `${round} ${workload.name} ${system.name.replaceAll("/", " ")}`)
        await mkdir(place)
        context.say(`round ${round + 1}: ${workload.name}: ${system.name}`)
        await measure(figures, system, workload, place, context.seconds ?? SECONDS)
      }
    }
  }
  return {
    figures: figures.list(),
    notes: [
      `${reference.name} ${reference.version}, file-backed. Every system starts anew, on an empty directory, for each line of each round.`,
      "The client is the bench's own process, on the same machine: what it takes of the cores is not the server's.",
    ],
  }
}

async function measure(
  figures: Figures,
  system: StreamSystem,
  workload: Workload,
  directory: string,
  seconds: number,
): Promise<void> {
  const child = await system.start(directory)
  try {
    await createAll(child.url, workload.streams, (n) => `s${n}`)
    const open = await connections(child.url, workload.connections)
    await load(child, workload, open, WARM_SECONDS, 0)
    const { taken, refused, result } = await load(child, workload, open, seconds, 1_000_000)
    const { name, least, p50, p99, cpu } = workload
    const add = (what: string, unit: string, value: number, bound: Partial<Metric> = {}): void =>
      figures.add({ name: `${name}: ${what}`, unit, of: "rouse", ...bound }, system.name, value)
    add("a second", "", (result.turnsPerSecond * taken) / (taken + refused), least === undefined ? {} : { least })
    add("p50", "ms", result.latencyMs.p50, p50 === undefined ? {} : { most: p50 })
    add("p99", "ms", result.latencyMs.p99, p99 === undefined ? {} : { most: p99 })
    add("server CPU", "µs", result.serverCpuMs * 1_000, cpu === undefined ? {} : { most: cpu })
    add("client CPU", "µs", result.clientCpuMs * 1_000)
    add("refused", "%", (100 * refused) / (taken + refused), { most: 0 })
    for (const connection of open) connection.close()
  } finally {
    await child.stop()
  }
}

async function load(
  child: Child,
  { turn }: Workload,
  open: readonly Connection[],
  seconds: number,
  first: number,
): Promise<{ taken: number; refused: number; result: Awaited<ReturnType<typeof runLoad>> }> {
  const places = new Map(open.map((connection, at) => [connection, at]))
  let taken = 0
  let refused = 0
  const result = await runLoad({
    connections: open,
    seconds,
    pid: child.pid,
    async turn(connection, n) {
      if (await turn(connection, places.get(connection) as number, first + n)) taken += 1
      else refused += 1
    },
  })
  return { taken, refused, result }
}
