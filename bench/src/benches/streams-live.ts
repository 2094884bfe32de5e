import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Child } from "../lib/child.ts"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { Figures } from "../lib/figures.ts"
import { Connection } from "../lib/http.ts"
import { SseReader } from "../lib/sse-reader.ts"
import { latency } from "../lib/stats.ts"
import { append, createAll, streamPath } from "../lib/stream-client.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { reference, rouseStreams, type StreamSystem } from "../systems/streams.ts"

const ROUNDS = 3
const SECONDS = 4
const MESSAGES_PER_SECOND = 20
/** Readers, and what the time from the append's begin to a reader's bytes must not pass. */
const TAILS = [
  { readers: 1, name: "live tail, one reader", p50: 2.5, p99: undefined },
  { readers: 1_000, name: "live tail, 1,000 readers", p50: 15, p99: 40 },
] as const
/** Readers that come and go first: what a process takes for its first readers, it takes once. */
const WARM_READERS = 1_000
const IDLE_READERS = 5_000
/** Readers that come at once. */
const OPENING = 10
/** After readers have come or gone. */
const SETTLE_MS = 1_000
const PADDING = "x".repeat(240)
const SENT = `"sent":`
/** After the last message, for what is still on its way. */
const LINGER_MS = 1_500

/** Following a stream as it is written. */
export const streamsLive: Bench = {
  name: "streams-live",
  summary:
    "from an append to its readers by SSE: 1 and 1,000 readers at 20 messages a second; memory of 5,000 that wait",
  run: (context) => inTemporaryDirectory((directory) => runLive(context, directory)),
}

async function runLive(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures(reference.name)
  for (let round = 0; round < (context.rounds ?? ROUNDS); round++) {
    for (const tail of TAILS) {
      for (const system of [reference, rouseStreams(context.rouse)]) {
        const place = join(directory, `${round} ${tail.readers} ${system.name.replaceAll("/", " ")}`)
        await mkdir(place)
        context.say(`round ${round + 1}: ${tail.name}: ${system.name}`)
        await measure(figures, system, tail, place, context.seconds ?? SECONDS)
      }
    }
    for (const system of [reference, rouseStreams(context.rouse)]) {
      const place = join(directory, `${round} idle ${system.name.replaceAll("/", " ")}`)
      await mkdir(place)
      context.say(`round ${round + 1}: readers that wait: ${system.name}`)
      await measureResident(figures, system, place)
    }
  }
  return {
    figures: figures.list(),
    notes: [
      `${reference.name} ${reference.version}, file-backed. ${MESSAGES_PER_SECOND} messages of 300 bytes a second, offered whatever becomes of those before.`,
      "A message's time is from just before its POST is written to when its bytes have come to a reader, all in the bench's own process.",
      `Resident per reader: ${IDLE_READERS.toLocaleString("en-US")} that wait, after ${WARM_READERS.toLocaleString("en-US")} have come and gone.`,
      "What did not come within the time and 1.5 s more counts as missing, not as fast.",
    ],
  }
}

async function measure(
  figures: Figures,
  system: StreamSystem,
  { name, readers, p50, p99 }: (typeof TAILS)[number],
  directory: string,
  seconds: number,
): Promise<void> {
  const child = await system.start(directory)
  try {
    await createAll(child.url, 1, () => "live")
    const samples: number[] = []
    const open = await openReaders(child, readers, (data) => takeSamples(data, samples))
    const writer = await Connection.open(child.url)
    const cpuBefore = child.cpuMs
    const sent = await write(writer, seconds)
    const add = (what: string, unit: string, value: number, bound = {}): void =>
      figures.add({ name: `${name}: ${what}`, unit, of: "rouse", ...bound }, system.name, value)
    const spread = latency(Float64Array.from(samples.length === 0 ? [Infinity] : samples))
    add("p50", "ms", spread.p50, { most: p50 })
    add("p99", "ms", spread.p99, p99 === undefined ? {} : { most: p99 })
    add("missing", "%", 100 * (1 - samples.length / (sent * readers)), { most: 0 })
    add("server CPU per message and reader", "µs", ((child.cpuMs - cpuBefore) * 1_000) / (sent * readers))
    for (const reader of open) reader.close()
    writer.close()
  } finally {
    await child.stop()
  }
}

async function measureResident(figures: Figures, system: StreamSystem, directory: string): Promise<void> {
  const child = await system.start(directory)
  try {
    await createAll(child.url, 1, () => "live")
    const ignore = (): void => undefined
    for (const reader of await openReaders(child, WARM_READERS, ignore)) reader.close()
    await sleep(SETTLE_MS)
    const before = child.residentMb
    const open = await openReaders(child, IDLE_READERS, ignore)
    await sleep(SETTLE_MS)
    const residentKb = ((child.residentMb - before) * 1_024) / IDLE_READERS
    const name = "readers that wait: resident per reader"
    figures.add({ name, unit: "KB", of: "rouse", most: 8 }, system.name, residentKb)
    for (const reader of open) reader.close()
  } finally {
    await child.stop()
  }
}

async function openReaders(child: Child, count: number, onData: (data: Buffer) => void): Promise<SseReader[]> {
  const open: SseReader[] = []
  while (open.length < count) {
    const some = Array.from({ length: Math.min(OPENING, count - open.length) }, () =>
      SseReader.open(child.url, streamPath("live"), onData),
    )
    open.push(...(await Promise.all(some)))
  }
  return open
}

/** Messages at their times, each on its way as soon as the one before was answered. */
async function write(writer: Connection, seconds: number): Promise<number> {
  const count = Math.round(seconds * MESSAGES_PER_SECOND)
  const startedAt = performance.now()
  for (let n = 0; n < count; n++) {
    const dueMs = startedAt + (n * 1_000) / MESSAGES_PER_SECOND - performance.now()
    if (dueMs > 0) await sleep(dueMs)
    await append(writer, "live", `{${SENT}${performance.now()},"pad":"${PADDING}"}`)
  }
  await sleep(LINGER_MS)
  return count
}

function takeSamples(data: Buffer, samples: number[]): void {
  const now = performance.now()
  for (let at = data.indexOf(SENT); at >= 0; at = data.indexOf(SENT, at + SENT.length)) {
    const begin = at + SENT.length
    samples.push(now - Number(data.toString("latin1", begin, data.indexOf(",", begin))))
  }
}
