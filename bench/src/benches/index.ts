import type { Bench } from "../lib/bench.ts"
import { echoPeer } from "./echo-peer.ts"
import { turn } from "./turn.ts"

export const benches: readonly Bench[] = [turn, echoPeer]
