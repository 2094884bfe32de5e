import type { Bench } from "../lib/bench.ts"
import { compareTurns } from "../lib/compare-turns.ts"
import { bareAppend, storesNothing } from "../systems/baselines.ts"
import { rouse } from "../systems/rouse.ts"

/** The same workload on Rouse and on everything it is compared with. */
export const echoPeer: Bench = {
  name: "echo-peer",
  summary: "the turns of `turn` on Rouse, a bare durable append and a server that stores nothing",
  run: (context) => compareTurns(context, [storesNothing, bareAppend, rouse(context.rouse)], storesNothing.name),
}
