import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { isInsideNetwork, runInside, whyNoNetwork } from "./network.ts"
import { formatSummary, type Peer, type RemoteSetup, runCrash, SHARED_VICTIMS, type SharedVictim } from "../crash.ts"

/**
 * `--kills N`, `--seed N`, `--agents N`, `--target PEER`, `--plant NAME`, `--keep DIRECTORY`, `--json`. Exit code 1 when a promise was broken.
 *
 * With `--handlers webhook|pull` also `--victim handler|server`. With `--store postgres` also `--replicas N` and `--victim server|database|failover|connections|network`.
 */
const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    seed: { type: "string" },
    agents: { type: "string" },
    plant: { type: "string" },
    target: { type: "string" },
    handlers: { type: "string" },
    victim: { type: "string" },
    store: { type: "string" },
    replicas: { type: "string" },
    keep: { type: "string" },
    json: { type: "boolean" },
  },
})

function count(name: "kills" | "seed" | "agents" | "replicas", otherwise: number): number {
  const value = values[name] === undefined ? otherwise : Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: must be a whole number`)
  return value
}

/** A peer is a program of the benches, where its packages are installed. */
function peerOf(name: string | undefined): { readonly peer?: Peer } {
  if (name === undefined || name === "rouse") return {}
  const file = fileURLToPath(new URL(`../../../../bench/src/peers/${name}.ts`, import.meta.url))
  if (existsSync(file)) return { peer: { name, file } }
  throw new Error(`--target: there is no ${file}`)
}

function remote(): { readonly remote: RemoteSetup; readonly killMsMax: number } | undefined {
  const { handlers, victim = "handler" } = values
  if (handlers === undefined) return undefined
  if (handlers !== "webhook" && handlers !== "pull") throw new Error("--handlers: must be webhook or pull")
  if (victim !== "handler" && victim !== "server") throw new Error("--victim: must be handler or server")
  return { remote: { way: handlers, victim }, killMsMax: REMOTE_KILL_MS_MAX }
}

interface Shared {
  readonly replicas: number
  readonly sharedVictim: SharedVictim
  readonly killMsMax: number
}

/** Servers at once on one Postgres. */
function shared(): Shared | undefined {
  if (values.store === undefined) return undefined
  if (values.store !== "postgres") throw new Error("--store: must be postgres")
  const { victim = "server" } = values
  const sharedVictim = SHARED_VICTIMS.find((name) => name === victim)
  if (sharedVictim === undefined) throw new Error(`--victim: must be one of ${SHARED_VICTIMS.join(", ")}`)
  const killMsMax = sharedVictim === "server" ? SHARED_KILL_MS_MAX : CALM_MS_MAX
  return { replicas: count("replicas", 3), sharedVictim, killMsMax }
}

/** Longer lives: whoever is killed has taken something before. */
const SHARED_KILL_MS_MAX = 500
/** Between two harms to what the servers stand on: nothing can be done while it is away. */
const CALM_MS_MAX = 1_500
/** Longer lives: a handler that was away is tried again after a pause. */
const REMOTE_KILL_MS_MAX = 700

if (values.victim === "network" && !isInsideNetwork()) {
  const why = whyNoNetwork()
  if (why !== undefined) throw new Error(`--victim: ${why}`)
  process.exit(await runInside())
}
const kills = count("kills", 50)
const { summary, violations } = await runCrash({
  kills,
  seed: count("seed", Date.now() % 1_000_000),
  agents: count("agents", 6),
  ...peerOf(values.target),
  ...(values.plant === undefined ? {} : { plant: values.plant as never }),
  ...remote(),
  ...shared(),
  ...(values.keep === undefined ? {} : { directory: values.keep }),
  onProgress: (done) => {
    if (done % 10 === 0) process.stderr.write(`${done} of ${kills} kills\n`)
  },
})
for (const { rule, where, what } of violations) process.stderr.write(`${rule} ${where}: ${what}\n`)
process.stdout.write(`${values.json ? JSON.stringify(summary) : formatSummary(summary)}\n`)
if (violations.length > 0) process.exitCode = 1
