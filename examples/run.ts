import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"

/** `node examples/run.ts support-desk`: `rouse dev` with the example's agents, and Vite with its page. Ctrl-C ends both. */

const { positionals } = parseArgs({ allowPositionals: true })
const [name = "support-desk"] = positionals
const here = import.meta.dirname
const { resolve } = createRequire(import.meta.url)
const vite = join(dirname(resolve("vite/package.json")), "bin/vite.js")

const rouse = join(here, "../packages/cli/dist/main.js")

const children = [
  start(rouse, "dev", join(here, name, "agents.ts"), "--data", join(here, ".rouse", name)),
  start(vite, join(here, name), "--config", join(here, "vite.config.ts")),
]
for (const child of children) child.once("exit", end)
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, end)

function start(program: string, ...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [program, ...args], { stdio: "inherit" })
}

function end(): void {
  for (const child of children) child.kill()
}
