import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { History, Violation } from "./crash/core/history.ts"
import { judgePeer } from "./crash/core/judge-peer.ts"
import { judge } from "./crash/core/judge.ts"
import { SeededRandom } from "./crash/core/random.ts"
import { summaryOf } from "./crash/core/summary.ts"
import type { CrashSummary } from "./crash/core/summary.ts"
import { drive } from "./crash/driver.ts"
import type { DriveOptions } from "./crash/driver.ts"
import { LedgerClient } from "./crash/ledger-client.ts"
import { PeerTarget } from "./crash/peer-target.ts"
import { startProcess } from "./crash/process.ts"
import type { Plant } from "./crash/program/plants.ts"
import { RouseRemoteTarget } from "./crash/rouse-remote-target.ts"
import type { RemoteSetup } from "./crash/rouse-remote-target.ts"
import type { GroundVictim } from "./crash/ground.ts"
import { isInsideNetwork } from "./crash/network.ts"
import { NetworkTarget } from "./crash/network-target.ts"
import { driveReplicas } from "./crash/replica-driver.ts"
import { ReplicasTarget } from "./crash/replicas-target.ts"
import { RouseTarget } from "./crash/rouse-target.ts"
import type { RouseTargetOptions } from "./crash/rouse-target.ts"

export { formatSummary } from "./crash/core/summary.ts"
export type { ClassSummary, CrashSummary, Percentiles } from "./crash/core/summary.ts"
export type { Violation } from "./crash/core/history.ts"
export { whyNoNetwork } from "./crash/network.ts"
export type { RemoteSetup } from "./crash/rouse-remote-target.ts"
export { type Running, startProcess } from "./crash/process.ts"
export { type ChildServer, serveChild } from "./crash/serve-child.ts"
export { PLANTS } from "./crash/program/plants.ts"
export type { Plant } from "./crash/program/plants.ts"

/** What is harmed where several servers share a Postgres. `network` only in a network of one's own, as the command makes one. */
export type SharedVictim = GroundVictim | "network"

export const SHARED_VICTIMS: readonly SharedVictim[] = ["server", "database", "failover", "connections", "network"]

export interface CrashOptions {
  /** How often the server is killed. */
  readonly kills: number
  /** Of the driver's choices: moments, messages, scripts. What the machine does in between is its own. */
  readonly seed: number
  /** Agents that are busy at the same time. 6 when absent. */
  readonly agents?: number
  /** The latest moment of a kill after the load goes on, milliseconds. 150 when absent. */
  readonly killMsMax?: number
  /** Handlers in a process of their own, and which process is killed. In the server's when absent. */
  readonly remote?: RemoteSetup
  /** Servers at once, on one Postgres, behind a load balancer that picks at random. Otherwise one, on its own directory. */
  readonly replicas?: number
  /** What is harmed there. One of the servers when absent. */
  readonly sharedVictim?: SharedVictim
  /** A mistake to plant, for a run that must fail. */
  readonly plant?: Plant
  /** Another system, that is killed in Rouse's place. */
  readonly peer?: Peer
  /** Keeps the data directory and the ledger's file here. Otherwise they are temporary. */
  readonly directory?: string
  readonly onProgress?: (kills: number) => void
}

/** A peer to drive in Rouse's place. */
export interface Peer {
  readonly name: string
  /** Its program: see `bench/src/peers`. */
  readonly file: string
}

export interface CrashReport {
  readonly summary: CrashSummary
  /** Every broken promise. */
  readonly violations: readonly Violation[]
}

/** How long a system may take to come to rest after the last kill, milliseconds; with a planted mistake it may never. */
const QUIET_MS_MAX = 120_000
const QUIET_PLANTED_MS_MAX = 15_000

/**
 * Kills a real server with `kill -9` at random moments of a run with tools of every effect class, restarts it on the same data, and
 * judges what is left (P1, P2, P3), with a ledger in another process as the witness.
 *
 * @throws when the system does not start, refuses what it should take, or does not come to rest.
 * @see DESIGN §9
 */
export async function runCrash(options: CrashOptions): Promise<CrashReport> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "rouse-crash-")))
  const everywhere = isInsideNetwork() ? ["0.0.0.0"] : []
  const args = [join(directory, "effects.jsonl"), ...everywhere]
  const ledgerProcess = startProcess({ module: "./program/ledger-main", args })
  try {
    const { url } = await ledgerProcess.ready
    return await (options.peer ? judgedPeer(options, options.peer, directory, url) : judged(options, directory, url))
  } finally {
    await ledgerProcess.kill()
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true })
  }
}

async function judged(options: CrashOptions, directory: string, ledgerUrl: string): Promise<CrashReport> {
  const { kills, seed, agents = 6, killMsMax = 150, plant, onProgress = () => undefined } = options
  const ledger = new LedgerClient(ledgerUrl)
  const settings = { directory, ledgerUrl, ...(plant === undefined ? {} : { plant }) }
  const target = await targetOf(settings, options)
  try {
    const history = await driveAll(options, target, {
      target,
      ledger,
      random: new SeededRandom(seed),
      kills,
      agents,
      killMsMax,
      quietMsMax: plant === undefined ? QUIET_MS_MAX : QUIET_PLANTED_MS_MAX,
      onProgress,
    })
    const violations = judge(history)
    return { summary: summaryOf(history, violations, { target: target.name, seed, kills }), violations }
  } finally {
    target.close()
    await target.end()
    ledger.close()
  }
}

async function targetOf(settings: RouseTargetOptions, options: CrashOptions): Promise<RouseTarget> {
  const { remote, replicas, sharedVictim: victim = "server" } = options
  if (replicas !== undefined && victim === "network") return await NetworkTarget.open(settings, replicas)
  if (replicas !== undefined && victim !== "network") return await ReplicasTarget.open(settings, replicas, victim)
  return remote ? await RouseRemoteTarget.open(settings, remote) : new RouseTarget(settings)
}

function driveAll({ replicas }: CrashOptions, target: RouseTarget, options: DriveOptions): Promise<History> {
  if (replicas === undefined) return drive(options)
  return driveReplicas({ ...options, replicas, strike: strikeOf(target) })
}

function strikeOf(target: RouseTarget): ((random: SeededRandom) => Promise<void>) | undefined {
  if (target instanceof NetworkTarget) return (random) => target.strike(random)
  return target instanceof ReplicasTarget ? target.strike : undefined
}

/** The same load and the same kills on a peer, judged by the outside ledger and by what its conversations hold. */
async function judgedPeer(
  options: CrashOptions,
  { name, file }: Peer,
  directory: string,
  ledgerUrl: string,
): Promise<CrashReport> {
  const { kills, seed, agents = 6, killMsMax = 150, onProgress = () => undefined } = options
  const ledger = new LedgerClient(ledgerUrl)
  const target = new PeerTarget({ name, file, directory, ledgerUrl })
  const random = new SeededRandom(seed)
  try {
    const quietMsMax = QUIET_MS_MAX
    const history = await drive({ target, ledger, random, kills, agents, killMsMax, quietMsMax, onProgress })
    const remains = { sent: [...target.sent.values()], threads: target.threads }
    return judgePeer(history, remains, { target: name, seed, kills })
  } finally {
    target.close()
    ledger.close()
  }
}
