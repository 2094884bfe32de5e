#!/usr/bin/env node
/** `npm run bench -- NAME… [--json]`: measures, and prints what was measured, on what, and how it was spread. */
import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { benches } from "./benches/index.ts"
import type { Bench, BenchContext, BenchResult } from "./lib/bench.ts"
import { currentLoad, machine, machineLines } from "./lib/machine.ts"
import { watchOthers } from "./lib/others.ts"
import { figureTable, table } from "./lib/table.ts"

const USAGE = `usage: npm run bench -- NAME… [options]

  --list            the benches
  --json            one JSON object on the last line
  --rounds N        how often everything is measured
  --seconds N       how long each measurement lasts
  --agents N        how many agents, where that is the question
  --rouse FILE      the program of the rouse command (packages/cli/dist/main.js)
  --against FILE    another build of it, measured beside it
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    rounds: { type: "string" },
    seconds: { type: "string" },
    agents: { type: "string" },
    rouse: { type: "string" },
    against: { type: "string" },
  },
})

if (values.list) process.stdout.write(`${table(benches.map(({ name, summary }) => [name, summary]))}\n`)
else if (values.help || positionals.length === 0)
  process.stdout.write(`${USAGE}\n${table(benches.map(({ name, summary }) => [name, summary]))}\n`)
else await runAll(positionals.map(benchOf))

function benchOf(name: string): Bench {
  const bench = benches.find((one) => one.name === name)
  if (bench) return bench
  return refuse(`there is no bench "${name}"; there are ${benches.map((one) => one.name).join(", ")}`)
}

async function runAll(chosen: readonly Bench[]): Promise<void> {
  const settings = context()
  const here = await machine(fileURLToPath(new URL("../../packages/cli/package.json", import.meta.url)))
  process.stdout.write(`${machineLines(here)}\n`)
  const results: Record<string, BenchResult & { readonly load: number; readonly others: number }> = {}
  for (const bench of chosen) {
    process.stdout.write(`\n${bench.name}: ${bench.summary}\n`)
    const othersShare = watchOthers()
    const result = await bench.run(settings)
    const others = othersShare()
    const load = currentLoad()
    results[bench.name] = { ...result, load, others }
    const notes = [
      ...result.notes,
      `Load over the last minute: ${load.toFixed(2)}; other programs used ${Math.round(others * 100)}% of the cores.`,
    ]
    process.stdout.write(`\n${figureTable(result.figures)}\n${notes.map((note) => `  ${note}`).join("\n")}\n`)
  }
  if (values.json)
    process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), machine: here, benches: results })}\n`)
}

function context(): BenchContext {
  return {
    rounds: count("rounds", values.rounds),
    seconds: count("seconds", values.seconds),
    agents: count("agents", values.agents),
    rouse: program("rouse", values.rouse ?? fileURLToPath(new URL("../../packages/cli/dist/main.js", import.meta.url))),
    against: values.against === undefined ? undefined : program("against", values.against),
    say: (line) => void process.stderr.write(`  ${line}\n`),
  }
}

function program(name: string, path: string): string {
  const file = resolve(path)
  if (existsSync(file)) return file
  return refuse(`--${name}: there is no ${file}; build it first: npm run build`)
}

function count(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (value > 0 && Number.isFinite(value) && (name === "seconds" || Number.isInteger(value))) return value
  return refuse(`--${name}: "${text}" is not a ${name === "seconds" ? "number" : "whole number"} above 0`)
}

function refuse(why: string): never {
  process.stderr.write(`${why}\n`)
  process.exit(2)
}
