import { existsSync, readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "vite"
import { pageDirectory } from "../../root.js"

const ROOT = fileURLToPath(new URL("../..", import.meta.url))
const SOURCES = ["src", "public", "index.html", "vite.config.ts", "../client/src", "../protocol/src"]

/** Builds the page when it is missing, or older than what it is made of. */
export async function buildPage(): Promise<void> {
  const built = join(pageDirectory, "index.html")
  const newest = Math.max(...SOURCES.map((source) => newestIn(join(ROOT, source))))
  if (existsSync(built) && statSync(built).mtimeMs > newest) return
  await build({ root: ROOT, configFile: join(ROOT, "vite.config.ts"), logLevel: "error" })
}

function newestIn(path: string): number {
  const { mtimeMs } = statSync(path)
  if (!statSync(path).isDirectory()) return mtimeMs
  const files = readdirSync(path, { recursive: true, encoding: "utf8" })
  return Math.max(mtimeMs, ...files.map((file) => statSync(join(path, file)).mtimeMs))
}
