import { execFile, execFileSync, spawn } from "node:child_process"
import type { ChildProcess } from "node:child_process"
import { once } from "node:events"
import { appendFileSync, chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { debianBinaries, findBinaries } from "./binaries.ts"

/** Nobody in particular: a server does not run as root. */
const UNPRIVILEGED = 65_534
const LOG_LINES_MAX = 200
/** A server whose processes of before are not all gone does not start: tries, and milliseconds between them. */
const START_TRIES_MAX = 200
const START_AGAIN_MS = 100

/** A real server of Postgres with a data directory of its own, which syncs its disk. */
export interface PostgresServer {
  /** Of a superuser. */
  readonly url: string
  readonly port: number
  /** Of the first of its processes, whose children all others are. */
  readonly pid: number
  /** Ends it as a crash would: nothing is written any more. */
  crash(): Promise<void>
  /** `kill -9` of its first process, and with `all` of every other one in the same moment, as when its machine is gone. */
  kill(options?: { readonly all?: boolean }): Promise<void>
  start(): Promise<void>
  /** Ends it and removes its data. */
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** Whether it outlives its machine. True when absent. */
  readonly syncs?: boolean
  /** Settings beside those that every server here has, as `name=value`. */
  readonly settings?: readonly string[]
  /** Addresses to listen on beside 127.0.0.1, for clients of one network. */
  readonly network?: { readonly addresses: readonly string[]; readonly from: string }
  /** The server that it follows as a standby, from a copy of its data. Otherwise its data is new. */
  readonly following?: PostgresServer
}

interface Place {
  readonly directory: string
  readonly bin: string
  readonly port: number
  readonly settings: readonly string[]
  readonly as: { readonly uid?: number; readonly gid?: number }
}

/** Undefined when standbys can be made here; else what is missing. */
export function whyNoStandby(): string | undefined {
  const bin = process.env["ROUSE_TEST_POSTGRES_BIN"] ?? debianBinaries()
  if (bin !== undefined && existsSync(join(bin, "pg_basebackup"))) return undefined
  return "pg_basebackup, of Debian's package postgresql, copies a server's data"
}

/** Starts a server on a free port. Works as root and as a user. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), "rouse-postgres-"))
  const as = process.getuid?.() === 0 ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}
  const port = await freePort()
  const settings = settingsOf(directory, port, options)
  const place: Place = { directory, bin: findBinaries(directory), port, as, settings }
  chmodSync(directory, 0o755)
  if (as.uid !== undefined) chownSync(directory, as.uid, as.gid)
  if (options.following) await copyData(place, options.following)
  else makeData(place, options)
  let running: ChildProcess | undefined
  const end = async (signal: NodeJS.Signals, others: readonly number[] = []): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, "exit")
    child.kill(signal)
    for (const pid of others) killOther(pid)
    await ended
  }
  const server: PostgresServer = {
    url: `postgres://postgres@127.0.0.1:${place.port}/postgres`,
    port: place.port,
    get pid() {
      return running?.pid ?? 0
    },
    crash: () => end("SIGQUIT"),
    kill: ({ all = false } = {}) => end("SIGKILL", all ? childrenOf(running?.pid) : []),
    start: async () => {
      running ??= await launchAgain(place)
    },
    stop: async () => {
      await end("SIGINT")
      rmSync(directory, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

function settingsOf(directory: string, port: number, options: PostgresOptions): readonly string[] {
  const { syncs = true, settings = [], network, following } = options
  return [
    `port=${port}`,
    `unix_socket_directories=${directory}`,
    `listen_addresses=${["127.0.0.1", ...(network?.addresses ?? [])].join(",")}`,
    `fsync=${syncs ? "on" : "off"}`,
    "max_connections=200",
    ...(following
      ? [`primary_conninfo=host=127.0.0.1 port=${following.port} user=postgres application_name=${STANDBY}`]
      : []),
    ...settings,
  ]
}

/** What a standby calls itself at its primary. */
export const STANDBY = "standby"

function makeData({ directory, bin, as }: Place, { network }: PostgresOptions): void {
  const data = join(directory, "data")
  const flags = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
  execFileSync(join(bin, "initdb"), flags, { ...as, cwd: directory, stdio: "ignore" })
  if (network) appendFileSync(join(data, "pg_hba.conf"), `host all all ${network.from} trust\n`)
}

async function copyData({ directory, bin, as }: Place, from: PostgresServer): Promise<void> {
  const flags = ["-h", "127.0.0.1", "-p", String(from.port), "-U", "postgres", "-D", join(directory, "data")]
  const how = ["--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream", "--no-sync"]
  await promisify(execFile)(join(bin, "pg_basebackup"), [...flags, ...how], { ...as, cwd: directory })
}

/** The processes that a process started, by `/proc`; none where there is none. */
function childrenOf(pid: number | undefined): readonly number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  if (pid === undefined || !existsSync(path)) return []
  return readFileSync(path, "utf8").trim().split(" ").filter(Boolean).map(Number)
}

function killOther(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch (error) {
    // It ended by itself meanwhile.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}

/** Processes that outlived the first one keep the next server from starting until they see that it is gone. */
async function launchAgain(place: Place): Promise<ChildProcess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await launch(place)
    } catch (error) {
      if (tries === START_TRIES_MAX || !String(error).includes("still in use")) throw error
      await pause(START_AGAIN_MS)
    }
  }
}

/** Resolves when it takes connections. */
async function launch({ bin, directory, as, settings }: Place): Promise<ChildProcess> {
  const flags = ["-D", join(directory, "data"), ...settings.flatMap((setting) => ["-c", setting])]
  const child = spawn(join(bin, "postgres"), flags, { ...as, cwd: directory, stdio: ["ignore", "ignore", "pipe"] })
  const abandon = (): void => void child.kill("SIGQUIT")
  process.once("exit", abandon)
  child.once("exit", () => process.off("exit", abandon))
  const lines: string[] = []
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject)
    child.once("close", (code) => reject(new Error(`postgres ended with ${code}: ${lines.join("\n")}`)))
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (lines.length < LOG_LINES_MAX) lines.push(line)
      if (/ready to accept (read-only )?connections/.test(line)) resolve()
    })
  })
  return child
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1")
  await once(probe, "listening")
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, "close")
  return port
}
