import { type ChildProcess, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { AttachmentInfo, AttachmentPage } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import { afterEach, beforeEach, expect, test } from "vitest"

const PROGRAM = fileURLToPath(new URL("./support/attachment-server.ts", import.meta.url))
const PIECE = Uint8Array.from({ length: 1_048_576 }, (_, i) => (i * i) >>> 5)
const HOURS = 7_200_000

let directory: string
let child: ChildProcess | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-attachments-"))
})

afterEach(async () => {
  await kill()
  await rm(directory, { recursive: true, force: true })
})

async function start(aheadMs: number): Promise<string> {
  child = spawn(process.execPath, ["--conditions=@rouse/source", PROGRAM, directory, String(aheadMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  })
  if (!child.stdout) throw new Error("the program has no output")
  for await (const line of createInterface(child.stdout)) return (JSON.parse(line) as { url: string }).url
  throw new Error("the program ended before it listened")
}

async function kill(): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, "exit")
  child.kill("SIGKILL")
  await gone
}

/** So many pieces, each a little different; then `last`. */
function body(pieces: number, last: () => Promise<void> = async () => undefined): ReadableStream<Uint8Array> {
  let n = 0
  return new ReadableStream(
    {
      async pull(controller) {
        if (n < pieces) controller.enqueue(piece(n++))
        else {
          await last()
          controller.close()
        }
      },
    },
    { highWaterMark: 0 },
  )
}

function piece(n: number): Uint8Array {
  const bytes = PIECE.slice()
  bytes[0] = n
  return bytes
}

function digestOf(pieces: number): string {
  const hash = createHash("sha256")
  for (let n = 0; n < pieces; n++) hash.update(piece(n))
  return hash.digest("hex")
}

function upload(url: string, content: ReadableStream<Uint8Array>): Promise<Response> {
  return fetch(`${url}/v1/entities/agent/a/attachments`, {
    method: "POST",
    body: content,
    duplex: "half",
  } as RequestInit)
}

async function uploads(): Promise<number> {
  const store = await openStore({ directory, clock: Date.now })
  try {
    return (await store.streamPaths({ prefix: "attachments/uploads/", limit: 99 })).length
  } finally {
    await store.close()
  }
}

test("kill -9 in the middle of uploads: what was acknowledged is whole, the rest is swept", async () => {
  let url = await start(0)
  await fetch(`${url}/v1/entities/agent/a`, { method: "PUT", body: "{}" })
  const kept = (await (await upload(url, body(5))).json()) as AttachmentInfo
  expect(kept.id).toBe(digestOf(5))
  for (let n = 1; n <= 2; n++) {
    await expect(upload(url, body(7, kill))).rejects.toThrow()
    expect(await uploads()).toBe(n)
    url = await start(0)
  }
  await kill()
  url = await start(HOURS)
  const page = (await (await fetch(`${url}/v1/entities/agent/a/attachments`)).json()) as AttachmentPage
  expect(page.attachments).toEqual([kept])
  const back = await fetch(`${url}/v1/entities/agent/a/attachments/${kept.id}`)
  expect(
    createHash("sha256")
      .update(new Uint8Array(await back.arrayBuffer()))
      .digest("hex"),
  ).toBe(kept.id)
  for (let left = 1; left > 0;) {
    await new Promise((resolve) => setTimeout(resolve, 400))
    await kill()
    left = await uploads()
    url = await start(HOURS)
  }
  const again = await fetch(`${url}/v1/entities/agent/a/attachments/${kept.id}`)
  expect((await again.arrayBuffer()).byteLength).toBe(5 * PIECE.length)
}, 60_000)

test("100 MB go in and out in bounded memory", async () => {
  const url = await start(0)
  await fetch(`${url}/v1/entities/agent/a`, { method: "PUT", body: "{}" })
  // What the runtime takes whatever the size, it has taken by then.
  await upload(url, body(60))
  const before = await peakBytes()
  const { id, size } = (await (await upload(url, body(100))).json()) as AttachmentInfo
  const hash = createHash("sha256")
  const back = await fetch(`${url}/v1/entities/agent/a/attachments/${id}`)
  for await (const chunk of back.body ?? []) hash.update(chunk)
  expect([size, hash.digest("hex")]).toEqual([100 * PIECE.length, id])
  const grown = (await peakBytes()) - before
  if (process.env["ROUSE_FIGURES"]) console.log(`peak memory grew by ${Math.round(grown / 1e6)} MB`)
  expect(grown).toBeLessThan(70 * PIECE.length)
}, 60_000)

async function peakBytes(): Promise<number> {
  const status = await readFile(`/proc/${child?.pid}/status`, "utf8")
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024
}
