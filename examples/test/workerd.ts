import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface Module {
  readonly name: string
  readonly code: string
  readonly isEntry: boolean
  readonly wasm?: Uint8Array
}

export interface Workerd {
  readonly url: string
  readonly pid: number
  /** From just before the spawn to the first answer, milliseconds. */
  readonly readyMs: number
  /** What it printed. */
  readonly printed: () => string
  close(): Promise<void>
}

const READY_TRIES = 5_000
const READY_LOOK_MS = 2

/** Runs a bundled Worker in the real runtime, with variables. */
export async function startWorkerd(
  chunks: readonly Module[],
  bindings: Readonly<Record<string, string>>,
): Promise<Workerd> {
  const directory = await mkdtemp(join(tmpdir(), "rouse-workerd-"))
  const port = await freePort()
  // The first is the Worker itself.
  const modules = chunks.toSorted((a, b) => Number(b.isEntry) - Number(a.isEntry))
  for (const { name, code, wasm } of modules) await writeFile(join(directory, name), wasm ?? code)
  await writeFile(join(directory, "config.capnp"), configOf(port, modules, bindings))
  const { default: binary } = createRequire(import.meta.url)("workerd") as { readonly default: string }
  const startedAt = performance.now()
  const child = spawn(binary, ["serve", join(directory, "config.capnp")], { stdio: ["ignore", "pipe", "pipe"] })
  let printed = ""
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => (printed += text))
  const url = `http://127.0.0.1:${port}`
  try {
    await ready(url, child)
  } catch (error) {
    await end(child, directory)
    throw new Error(`workerd did not come up: ${printed}`, { cause: error })
  }
  const readyMs = performance.now() - startedAt
  return { url, pid: child.pid as number, readyMs, printed: () => printed, close: () => end(child, directory) }
}

function configOf(port: number, modules: readonly Module[], bindings: Readonly<Record<string, string>>): string {
  const texts = Object.entries(bindings).map(
    ([name, text]) => `(name = ${JSON.stringify(name)}, text = ${JSON.stringify(text)})`,
  )
  const embedded = modules.map(
    ({ name, wasm }) => `(name = "${name}", ${wasm === undefined ? "esModule" : "wasm"} = embed "${name}")`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const worker :Workerd.Worker = (
  modules = [${embedded.join(", ")}],
  compatibilityDate = "2026-11-01",
  bindings = [${texts.join(", ")}],
);
`
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < READY_TRIES; i++) {
    if (child.exitCode !== null) throw new Error(`workerd ended with code ${child.exitCode}`)
    const answer = await fetch(url).catch(() => undefined)
    if (answer) return void (await answer.text())
    await new Promise((resolve) => setTimeout(resolve, READY_LOOK_MS))
  }
  throw new Error("workerd did not come up")
}

async function end(child: ChildProcess, directory: string): Promise<void> {
  if (child.exitCode === null) {
    const ended = new Promise((resolve) => child.once("exit", resolve))
    child.kill("SIGKILL")
    await ended
  }
  await rm(directory, { recursive: true, force: true })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
