import { spawn } from "node:child_process"
import { once } from "node:events"
import { rmSync } from "node:fs"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { openStore } from "@rouse/store"
import { expect, it } from "vitest"
import { makeDirectory } from "./file-store.ts"

/** Larger: `CLAIM_WORKERS=1000 CLAIM_ROWS=100000 CLAIM_KILLS=20`. */
const WORKERS = Number(process.env["CLAIM_WORKERS"] ?? 50)
const ROWS = Number(process.env["CLAIM_ROWS"] ?? 3_000)
const KILLS = Number(process.env["CLAIM_KILLS"] ?? 4)
const LIFE_MS_MAX = (ROWS / KILLS) * 0.2

it("rows that many claim, under kill -9, are each worked on once, and none is lost", { timeout: 600_000 }, async () => {
  const directory = makeDirectory()
  const done: string[] = []
  for (let life = 0; ; life += 1) {
    const over = await live(directory, life, life < KILLS ? 50 + Math.random() * LIFE_MS_MAX : undefined, done)
    if (over) break
  }
  expect(new Set(done).size).toBe(done.length)
  const store = await openStore({ directory, clock: Date.now })
  const acknowledged = new Set(done)
  let count = 0
  for (let after = ""; ;) {
    const { rows: page } = await store.spaceRows("shared/work", { collection: "rows", after, limit: 1_000 })
    for (const row of page) {
      // What was completed but never acknowledged, since the process died in between, was done all the same, and once.
      expect(row).toMatchObject({ done: true, holder: null, value: JSON.stringify({ id: row.key, n: 1 }) })
      acknowledged.delete(row.key)
      count += 1
    }
    if (page.length === 0) break
    after = page.at(-1)?.key ?? ""
  }
  expect(count).toBe(ROWS)
  expect(acknowledged.size).toBe(0)
  await store.close()
  rmSync(directory, { recursive: true })
})

/** One life of the process, until it is killed or done. Returns whether it was done. */
async function live(
  directory: string,
  life: number,
  killAfterMs: number | undefined,
  done: string[],
): Promise<boolean> {
  const file = fileURLToPath(new URL("./claims-child.ts", import.meta.url))
  const args = ["--conditions=@rouse/source", file, directory, String(WORKERS), String(ROWS), String(life)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  let output = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text
  })
  const closed = once(child, "close")
  await once(child.stdout, "data")
  if (killAfterMs !== undefined) {
    await Promise.race([sleep(killAfterMs), closed])
    child.kill("SIGKILL")
  }
  await closed
  const lines = output.split("\n").slice(0, -1)
  for (const line of lines) if (line.startsWith("done ")) done.push(line.slice(5))
  return lines.includes("over")
}
