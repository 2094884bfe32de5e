import { mkdir } from "node:fs/promises"
import { Agent, get, type IncomingMessage } from "node:http"
import { join } from "node:path"
import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import type { Child } from "../lib/child.ts"
import { Figures } from "../lib/figures.ts"
import { append, connections, create, MESSAGE_300, streamPath } from "../lib/stream-client.ts"
import { inTemporaryDirectory } from "../lib/temporary.ts"
import { reference, rouseStreams, type StreamSystem } from "../systems/streams.ts"

const ROUNDS = 3
const BYTES = 100_000_000
/** How the stream came to be: messages of 300 bytes, so many in an append. */
const SHAPES = [
  { name: "catch-up of 100 MB, 100 messages an append", messages: 100 },
  { name: "catch-up of 100 MB, one message an append", messages: 1 },
] as const
const WRITERS = 64
const MEMORY_LOOK_MS = 5

/** Reading a stream from its beginning. */
export const streamsCatchUp: Bench = {
  name: "streams-catch-up",
  summary: "reading a stream of 100 MB from its beginning to its end: MB a second, and memory on the way",
  run: (context) => inTemporaryDirectory((directory) => runCatchUp(context, directory)),
}

async function runCatchUp(context: BenchContext, directory: string): Promise<BenchResult> {
  const figures = new Figures(reference.name)
  for (const { name, messages } of SHAPES) {
    for (const system of [reference, rouseStreams(context.rouse)]) {
      // A hundred thousand single appends take the reference minutes.
      if (messages === 1 && system === reference) continue
      const place = join(directory, `${messages} ${system.name.replaceAll("/", " ")}`)
      await mkdir(place)
      context.say(`${name}: ${system.name}`)
      await measure(figures, system, { name, messages }, place, context.rounds ?? ROUNDS)
    }
  }
  return {
    figures: figures.list(),
    notes: [
      `${reference.name} ${reference.version}, file-backed. The server is started anew on the stream before each round, and the file is in the system's cache.`,
      "A reader asks for what follows until it is told that it is at the end, over one connection; bodies are counted, not parsed.",
      "Single appends are read from Rouse alone: writing them takes the reference minutes.",
    ],
  }
}

async function measure(
  figures: Figures,
  system: StreamSystem,
  { name, messages }: { readonly name: string; readonly messages: number },
  directory: string,
  rounds: number,
): Promise<void> {
  await onServer(system, directory, (child) => write(child, messages))
  for (let round = 0; round < rounds; round++) {
    await onServer(system, directory, async (child) => {
      const before = child.residentMb
      const cpuBefore = child.cpuMs
      let most = before
      const look = setInterval(() => (most = Math.max(most, child.residentMb)), MEMORY_LOOK_MS)
      const startedAt = performance.now()
      const bytes = await catchUp(child.url)
      const seconds = (performance.now() - startedAt) / 1_000
      clearInterval(look)
      const add = (what: string, unit: string, value: number, bound = {}): void =>
        figures.add({ name: `${name}: ${what}`, unit, of: "rouse", ...bound }, system.name, value)
      add("a second", "MB", bytes / 1e6 / seconds, { least: 300 })
      add("extra resident", "MB", most - before, { most: 50 })
      add("server CPU per MB", "ms", (child.cpuMs - cpuBefore) / (bytes / 1e6))
    })
  }
}

async function onServer(system: StreamSystem, directory: string, work: (child: Child) => Promise<void>): Promise<void> {
  const child = await system.start(directory)
  try {
    await work(child)
  } finally {
    await child.stop()
  }
}

async function write(child: Child, messages: number): Promise<void> {
  const open = await connections(child.url, WRITERS)
  const [first] = open
  if (first !== undefined) await create(first, "long")
  const body = messages === 1 ? MESSAGE_300 : `[${Array.from({ length: messages }, () => MESSAGE_300).join(",")}]`
  let left = Math.ceil(BYTES / body.length)
  await Promise.all(
    open.map(async (connection) => {
      while (left-- > 0) if (!(await append(connection, "long", body))) throw new Error("an append was refused")
    }),
  )
  for (const connection of open) connection.close()
}

/** Reads to the end. Returns how many bytes that was. */
async function catchUp(url: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let bytes = 0
  let offset = "-1"
  for (;;) {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${url}${streamPath("long")}?offset=${offset}`, { agent }, resolve).once("error", reject)
    })
    if (answer.statusCode !== 200) throw new Error(`a read was answered ${answer.statusCode}`)
    answer.on("data", (chunk: Buffer) => (bytes += chunk.length))
    await new Promise((resolve, reject) => answer.once("end", resolve).once("error", reject))
    offset = String(answer.headers["stream-next-offset"])
    if (answer.headers["stream-up-to-date"] === "true") break
  }
  agent.destroy()
  return bytes
}
