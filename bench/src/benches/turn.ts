import type { Bench, BenchContext, BenchResult } from "../lib/bench.ts"
import { storesNothing } from "../systems/baselines.ts"
import { rouse } from "../systems/rouse.ts"
import { compareTurns } from "../lib/compare-turns.ts"
import type { System } from "../systems/system.ts"

/** One durable turn over HTTP with a model of 0 ms, beside a server that stores nothing. */
export const turn: Bench = {
  name: "turn",
  summary: "one durable turn over HTTP: started, warm, fresh, and 64 clients over 1,000 agents",
  run: (context) => runTurn(context),
}

async function runTurn(context: BenchContext): Promise<BenchResult> {
  const { rouse: program, against } = context
  const systems: System[] = [storesNothing, rouse(program)]
  if (against !== undefined) systems.push(rouse(against, "rouse (against)"))
  return compareTurns(context, systems, storesNothing.name)
}
