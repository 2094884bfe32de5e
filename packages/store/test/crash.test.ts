import { once } from "node:events"
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { START } from "@rouse/protocol"
import { openStore, parseJson } from "@rouse/store"
import type { Store } from "@rouse/store"
import { expect, it } from "vitest"
import { makeDirectory } from "./file-store.ts"
import { firstOutput, startChild } from "./process.ts"

const KILLS = 20
const LOAD_MS_MAX = 120

it("kill -9 under load loses nothing acknowledged and leaves nothing half done", { timeout: 120_000 }, async () => {
  const directory = makeDirectory()
  const acknowledged = new Map<string, number>()
  for (let kill = 0; kill < KILLS; kill += 1) {
    await loadAndKill(directory, acknowledged)
    const store = await openStore({ directory, clock: Date.now })
    await expectWhole(store, acknowledged)
    await store.close()
  }
  expect(acknowledged.size).toBeGreaterThan(0)
  rmSync(directory, { recursive: true })
})

async function loadAndKill(directory: string, acknowledged: Map<string, number>): Promise<void> {
  const child = startChild("load", directory)
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  await once(child.stdout, "data")
  await sleep(Math.random() * LOAD_MS_MAX)
  const closed = once(child, "close")
  child.kill("SIGKILL")
  await closed
  for (const line of output.split("\n").slice(0, -1)) {
    const [url = "", count] = line.split(" ")
    acknowledged.set(url, Math.max(Number(count), acknowledged.get(url) ?? 0))
  }
}

async function expectWhole(store: Store, acknowledged: ReadonlyMap<string, number>): Promise<void> {
  const { entities } = await store.entities({ limit: 100 })
  const timers = new Map(
    (await store.dueTimers(Number.MAX_SAFE_INTEGER, 100)).map(({ url, payload }) => [url, payload]),
  )
  for (const url of acknowledged.keys()) expect(entities.map((entity) => entity.url)).toContain(url)
  for (const { url, version, control } of entities) {
    const count = Number(control["count"])
    expect(count).toBeGreaterThanOrEqual(acknowledged.get(url) ?? 0)
    const expected = Array.from({ length: count }, (_, n) => n + 1)
    const { chunks } = await store.read(`entities${url}`, START, Number.MAX_SAFE_INTEGER)
    expect(parseJson(chunks).map((message) => (message as { count: number }).count)).toEqual(expected)
    expect((await store.rows(url)).map(({ value }) => value)).toEqual(expected)
    expect([version, timers.get(url)]).toEqual([count, count])
  }
}

it("a directory is one process's, until that process ends", async () => {
  const directory = makeDirectory()
  const child = startChild("own", directory)
  await firstOutput(child)
  const second = openStore({ directory, clock: Date.now })
  await expect(second).rejects.toMatchObject({ code: "STORE_LOCKED", message: expect.stringContaining(directory) })
  const closed = once(child, "close")
  child.kill("SIGKILL")
  await closed
  const third = await openStore({ directory, clock: Date.now })
  await expect(openStore({ directory, clock: Date.now })).rejects.toMatchObject({ code: "STORE_LOCKED" })
  await third.commit({ ops: [] })
  await third.close()
  await (await openStore({ directory, clock: Date.now })).close()
  rmSync(directory, { recursive: true })
})
