import { parseArgs } from "node:util"
import { type FailedSeed, PLANTS, type PlantName, runSimulation, type SimulateReport } from "../simulate.ts"

/** `--seeds N`, `--from N`, `--seed N`, `--without a,b`, `--plant NAME`, `--json`. Exit code 1 when a promise was broken. */
const { values } = parseArgs({
  options: {
    seeds: { type: "string" },
    from: { type: "string" },
    seed: { type: "string" },
    without: { type: "string" },
    plant: { type: "string" },
    json: { type: "boolean" },
  },
})

const PROGRESS_EVERY = 500
const SHOWN_MAX = 8

function count(name: "seeds" | "from" | "seed", otherwise: number): number {
  const value = values[name] === undefined ? otherwise : Number(values[name])
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name}: must be a whole number`)
  return value
}

function plantOf(name: string | undefined): { readonly plant?: PlantName } {
  if (name === undefined) return {}
  if (Object.hasOwn(PLANTS, name)) return { plant: name as PlantName }
  throw new Error(`--plant: must be one of ${Object.keys(PLANTS).join(", ")}`)
}

function describe({ seed, violations, command }: FailedSeed): string {
  const shown = violations.slice(0, SHOWN_MAX).map(({ rule, where, what }) => `  ${rule} ${where}: ${what}`)
  return [`seed ${seed} broke ${violations.length} rules:`, ...shown, `  replay: ${command}`].join("\n")
}

function format({ seeds, clean, steps, gates, lives, messages, effects }: SimulateReport): string {
  const size = `${messages} messages, ${effects} calls with effects, ${lives} servers, ${gates} waits, ${steps} happenings`
  return `${seeds} seeds, ${clean} clean: ${size}`
}

const one = values.seed !== undefined
const report = await runSimulation({
  seeds: one ? 1 : count("seeds", 1_000),
  from: one ? count("seed", 0) : count("from", 0),
  leftOut: new Set((values.without ?? "").split(",").filter((name) => name !== "")),
  ...plantOf(values.plant),
  onFailure: (failed) => process.stderr.write(`${describe(failed)}\n`),
  onProgress: (done, failed) => {
    if (done % PROGRESS_EVERY === 0) process.stderr.write(`${done} seeds, ${failed} failed\n`)
  },
})
process.stdout.write(`${values.json ? JSON.stringify(report) : format(report)}\n`)
if (report.failed.length > 0) process.exitCode = 1
