import { spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { chromium } from "playwright-core"
import type { Page } from "playwright-core"
import { build, preview } from "vite"
import { passedOn } from "../vite.config.ts"

/** The examples that have a page, as a person has them: `rouse dev` behind Vite, and browsers before it. */

const EXAMPLES = fileURLToPath(new URL("..", import.meta.url))
const ROUSE = fileURLToPath(new URL("../../packages/cli/src/main.ts", import.meta.url))
const CHROMIUM = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"
const ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
const NAMES = ["support-desk", "use-chat"] as const
/** How long a step waits for the page before it fails and says for what. */
const WAIT_MS = 12_000

export type ExampleName = (typeof NAMES)[number]

export interface Stage {
  /** A page in a window of its own: nothing is shared with another's but the server. */
  open(name: ExampleName, path: string, options?: WindowOptions): Promise<Page>
  /** As `kill -9` does it. */
  kill(): Promise<void>
  /** On the same port, with what was kept. */
  start(): Promise<void>
  close(): Promise<void>
}

interface WindowOptions {
  readonly width?: number
  readonly height?: number
  readonly colorScheme?: "light" | "dark"
}

export async function openStage(): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), "rouse-desk-"))
  const port = await freePort()
  const pages = new Map<ExampleName, string>()
  const closing: (() => Promise<unknown>)[] = []
  let rouse: ChildProcess | undefined

  async function start(): Promise<void> {
    const agents = NAMES.map((name) => join(EXAMPLES, name, "agents.ts"))
    const args = ["dev", ...agents, "--port", String(port), "--data", join(directory, "data"), "--json"]
    rouse = spawn(process.execPath, ["--conditions=@rouse/source", ROUSE, ...args], {
      env: { PATH: process.env["PATH"], HOME: directory, NO_COLOR: "1", OFFLINE_MS: "60" },
      stdio: ["ignore", "pipe", "inherit"],
    })
    const [first] = (await Promise.race([once(rouse.stdout!, "data"), once(rouse, "exit")])) as unknown[]
    if (!(first instanceof Buffer)) throw new Error("`rouse dev` ended before it was ready")
  }

  async function kill(): Promise<void> {
    if (rouse === undefined || rouse.exitCode !== null || rouse.signalCode !== null) return
    rouse.kill("SIGKILL")
    await once(rouse, "exit")
  }

  async function serve(name: ExampleName): Promise<void> {
    const outDir = join(directory, name)
    const config = {
      root: join(EXAMPLES, name),
      configFile: join(EXAMPLES, "vite.config.ts"),
      logLevel: "silent" as const,
    }
    await build({ ...config, build: { outDir, minify: false } })
    const proxy = passedOn(`http://127.0.0.1:${port}`)
    const server = await preview({ ...config, build: { outDir }, preview: { host: "127.0.0.1", port: 0, proxy } })
    closing.push(() => server.close())
    pages.set(name, `http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}`)
  }

  closing.push(() => rm(directory, { recursive: true, force: true }), kill)
  const starting = start()
  for (const name of NAMES) await serve(name)
  await starting
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGS })
  closing.push(() => browser.close())

  return {
    async open(name, path, { width = 1440, height = 900, colorScheme = "light" } = {}) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, reducedMotion: "reduce" })
      context.setDefaultTimeout(WAIT_MS)
      const page = await context.newPage()
      await page.goto(pages.get(name) + path)
      return page
    },
    kill,
    start,
    async close() {
      for (const end of closing.reverse()) await end()
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
