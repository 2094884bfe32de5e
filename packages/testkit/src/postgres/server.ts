import { execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, chownSync, mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { findBinaries } from "./binaries.ts"

/** Nobody in particular: a server does not run as root. */
const UNPRIVILEGED = 65_534
const LOG_LINES_MAX = 200

/** A real server of Postgres with a data directory of its own, which syncs its disk. */
export interface PostgresServer {
  /** Of a superuser. */
  readonly url: string
  readonly port: number
  /** Of the first of its processes, whose children all others are. */
  readonly pid: number
  /** Ends it as a crash would: nothing is written any more. */
  crash(): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

interface Place {
  readonly directory: string
  readonly bin: string
  readonly port: number
  readonly syncs: boolean
  readonly as: { readonly uid?: number; readonly gid?: number }
}

/** Starts a server on a free port. Works as root and as a user. @param options `syncs`: whether it outlives its machine. */
export async function startPostgres({ syncs = true }: { readonly syncs?: boolean } = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), "rouse-postgres-"))
  const as = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}
  const place: Place = { directory, bin: findBinaries(directory), port: await freePort(), as, syncs }
  chmodSync(directory, 0o755)
  if (as.uid !== undefined) chownSync(directory, as.uid, as.gid)
  const initdb = [
    "-D",
    join(directory, "data"),
    "-U",
    "postgres",
    "-A",
    "trust",
    "-E",
    "UTF8",
    "--locale=C",
    "--no-sync",
  ]
  execFileSync(join(place.bin, "initdb"), initdb, { ...as, cwd: directory, stdio: "ignore" })
  let running: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    await ended
  }
  const server: PostgresServer = {
    url: `postgres://postgres@127.0.0.1:${place.port}/postgres`,
    port: place.port,
    get pid() {
      return running?.pid ?? 0
    },
    crash: () => end("SIGQUIT"),
    start: async () => {
      running ??= await launch(place)
    },
    stop: async () => {
      await end("SIGINT")
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

/** Resolves when it takes connections. */
async function launch({ bin, directory, port, as, syncs }: Place): Promise<ChildProcess> {
  const settings = [
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    "listen_addresses=127.0.0.1",
    `fsync=${syncs ? "on" : "off"}`,
    "max_connections=200",
  ]
  const flags = ["-D", join(directory, "data"), ...settings.flatMap((setting) => ["-c", setting])]
  const child = spawn(join(bin, "postgres"), flags, { ...as, cwd: directory, stdio: ["ignore", "ignore", "pipe"] })
  const abandon = (): void => void child.kill("SIGQUIT")
  process.once("exit", abandon)
  child.once("exit", () => process.off("exit", abandon))
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject)
    child.once("exit", (code) => reject(new Error(`postgres ended with ${code}: ${lines.join("\n")}`)))
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (lines.length < LOG_LINES_MAX) lines.push(line)
      if (line.includes("ready to accept connections")) resolve()
    })
  })
  return child
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, "close")
  return port
}
