import { once } from "node:events"
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { START } from "@rouse/protocol"
import { openStore, parseJson } from "@rouse/store"
import type { Store } from "@rouse/store"
import { expect, it } from "vitest"
import { makeDirectory } from "./file-store.ts"
import { startChild } from "./process.ts"

const KILLS = 8
const LOAD_MS_MAX = 150

it(
  "kill -9 while history is compacted leaves the old horizon or the new, and all above it",
  { timeout: 60_000 },
  async () => {
    const directory = makeDirectory()
    const made = await openStore({ directory, clock: Date.now })
    await made.commit({ ops: [{ op: "createStream", path: "n", contentType: "application/json", nowMs: 0 }] })
    await made.close()
    let trimmed = 0
    for (let kill = 0; kill < KILLS; kill += 1) {
      const acknowledged = await loadAndKill(directory)
      const store = await openStore({ directory, clock: Date.now })
      trimmed += await expectWhole(store, acknowledged)
      await store.close()
    }
    expect(trimmed).toBeGreaterThan(0)
    rmSync(directory, { recursive: true })
  },
)

async function loadAndKill(directory: string): Promise<number> {
  const child = startChild("trim", directory)
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  await once(child.stdout, "data")
  await sleep(Math.random() * LOAD_MS_MAX)
  const closed = once(child, "close")
  child.kill("SIGKILL")
  await closed
  return Number(output.split("\n").at(-2)?.split(" ")[1])
}

/** Before and after the sweeps that go on where the dead process was. */
async function expectWhole(store: Store, acknowledged: number): Promise<number> {
  let horizon: string | undefined
  for (let swept = 1; swept > 0; swept = await store.sweep(Date.now())) {
    const info = await store.stream("n")
    horizon = info?.horizon
    const base = horizon === undefined ? undefined : await store.snapshot("n", info?.horizon)
    expect(base?.at).toBe(horizon)
    const first = base === undefined ? 0 : Number(parseJson([base.data])[0])
    const numbers = parseJson((await store.read("n", info?.horizon ?? START, Number.MAX_SAFE_INTEGER)).chunks)
    expect(numbers).toEqual(numbers.map((_, index) => first + 1 + index))
    expect(first + numbers.length).toBeGreaterThanOrEqual(acknowledged)
    if (horizon !== undefined) await expect(store.read("n", START, 1)).rejects.toMatchObject({ code: "GONE" })
  }
  return horizon === undefined ? 0 : 1
}
