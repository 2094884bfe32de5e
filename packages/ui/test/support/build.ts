import assert from "node:assert/strict"
import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "vite"
import type { Rolldown } from "vite"
import { pageDirectory } from "../../root.js"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const SOURCES = [
  "src",
  "public",
  "index.html",
  "vite.config.ts",
  "test/support/build.ts",
  "../client/src",
  "../protocol/src",
]

/** Builds the page when it is missing, or older than what it is made of. */
export async function buildPage(): Promise<void> {
  const built = join(pageDirectory, "index.html")
  const newest = Math.max(...SOURCES.map((source) => newestIn(join(ROOT, source))))
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  const made = await inProduction(() =>
    build({ root: ROOT, configFile: join(ROOT, "vite.config.ts"), mode: "production", logLevel: "error" }),
  )
  for (const { output } of [made].flat().filter((one) => "output" in one)) assertProduction(output)
}

/** Vite takes what the page is built for from `NODE_ENV` before its mode, and tests run with `test`. */
async function inProduction<T>(work: () => Promise<T>): Promise<T> {
  const before = process.env["NODE_ENV"]
  process.env["NODE_ENV"] = "production"
  try {
    return await work()
  } finally {
    if (before === undefined) delete process.env["NODE_ENV"]
    else process.env["NODE_ENV"] = before
  }
}

/** What only React for development calls. A library may name it, and does. */
const DEVELOPMENT = "jsxDEV)("

/** With React for development, what the tests look at would not be the page that users get. */
function assertProduction(files: readonly Rolldown.RolldownOutput["output"][number][]): void {
  const scripts = files.filter((file) => file.type === "chunk")
  assert(scripts.length > 0, "the page was built without scripts")
  for (const { fileName, code } of scripts) assert(!code.includes(DEVELOPMENT), `${fileName} is built for development`)
}

function newestIn(path: string): number {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  const files = readdirSync(path, { recursive: true, encoding: "utf8" })
  return Math.max(mtimeMs, ...files.map((file) => statSync(join(path, file)).mtimeMs))
}
