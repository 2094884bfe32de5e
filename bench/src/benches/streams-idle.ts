import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { diskBytes } from "../lib/disk.ts"
import { Figures } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { append, create, MESSAGE_300 } from "../lib/stream-client.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { reference, rouseStreams, type StreamSystem } from "../systems/streams.ts"

const COUNTS = [100_000, 1_000_000] as const
/** Making them over HTTP, which the reference needs, takes it ten times as long. */
const REFERENCE_COUNT = 10_000
const QUIET_MS = 1_500
const APPENDS = 200

/** Streams that nobody reads or writes, and a start among them after a crash. */
export const streamsIdle: Bench = {
  name: "streams-idle",
  summary: "100,000 and 1,000,000 idle streams: memory, disk, and the start after kill -9",
  run: (context) => inTemporaryDirectory((directory) => runIdle(context, directory)),
}

async function runIdle(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures()
  const counts = context.agents === undefined ? COUNTS : [context.agents]
  const rouse = rouseStreams(context.rouse)
  for (const count of counts) await measure(figures, rouse, count, join(directory, String(count)), context)
  await measure(figures, reference, REFERENCE_COUNT, join(directory, "reference"), context)
  return {
    figures: figures.list(),
    notes: [
      `${reference.name} ${reference.version}, file-backed, with ${REFERENCE_COUNT.toLocaleString("en-US")} streams: it is slow to make them.`,
      `Resident is beyond a start on an empty directory. The start is after kill -9 of a server that was being written to, from the spawn to the first append's answer.`,
      "The streams of Rouse are put straight into its store, in the form in which a create would have.",
    ],
  }
}

async function measure(
  figures: Figures,
  system: StreamSystem,
  count: number,
  directory: string,
  context: BenchContext,
): Promise<void> {
  const empty = `${directory}-empty`
  await mkdir(empty)
  await mkdir(directory)
  context.say(`${system.name}: ${count} streams`)
  await system.seed(directory, count)
  const name = `${count.toLocaleString("en-US")} idle streams`
  const add = (what: string, unit: string, value: number, bound = {}): void =>
    figures.add({ name: `${name}: ${what}`, unit, of: "rouse", ...bound }, system.name, value)
  add("on disk each", "bytes", (await diskBytes(directory)).allocated / count)
  for (let round = 0; round < (context.rounds ?? 1); round++) {
    const base = await residentOf(system, empty)
    add("resident each", "bytes", ((await residentOf(system, directory)) - base) * (2 ** 20 / count), { most: 200 })
    await crash(system, directory)
    const startedAt = performance.now()
    const child = await system.start(directory)
    await appendTo(child, "idle/1", 1)
    add("kill -9 to the first request", "ms", performance.now() - startedAt, { most: count > 100_000 ? 2_000 : 1_000 })
    await child.stop()
  }
}

/** Once it has answered a few requests and is quiet again. */
async function residentOf(system: StreamSystem, directory: string): Promise<number> {
  const child = await system.start(directory)
  await appendTo(child, "warm", APPENDS)
  await sleep(QUIET_MS)
  const { residentMb } = child
  await child.stop()
  return residentMb
}

async function crash(system: StreamSystem, directory: string): Promise<void> {
  const child = await system.start(directory)
  await appendTo(child, "warm", APPENDS)
  process.kill(child.pid, "SIGKILL")
  await child.stop()
}

async function appendTo(child: Child, stream: string, count: number): Promise<void> {
  const connection = await Connection.open(child.url)
  await create(connection, stream)
  for (let n = 0; n < count; n++) {
    if (!(await append(connection, stream, MESSAGE_300))) throw new Error(`${stream}: an append was refused`)
  }
  connection.close()
}
