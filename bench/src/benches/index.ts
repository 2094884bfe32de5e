import type { Bench } from "../lib/bench.ts"
import { claims } from "./claims.ts"
import { code } from "./code.ts"
import { dispatch } from "./dispatch.ts"
import { echoPeer } from "./echo-peer.ts"
import { fanOut } from "./fan-out.ts"
import { history } from "./history.ts"
import { idle } from "./idle.ts"
import { inFlight } from "./in-flight.ts"
import { longLife } from "./long-life.ts"
import { idleMillion } from "./idle-million.ts"
import { mapReduce } from "./map-reduce.ts"
import { observeMillion } from "./observe-million.ts"
import { postgresCost } from "./postgres-cost.ts"
import { postgresReplicas } from "./postgres-replicas.ts"
import { postgresTurn } from "./postgres-turn.ts"
import { scale } from "./scale.ts"
import { size } from "./size.ts"
import { page } from "./page.ts"
import { pageMemory } from "./page-memory.ts"
import { start } from "./start.ts"
import { step } from "./step.ts"
import { store } from "./store.ts"
import { streams } from "./streams.ts"
import { streamsCatchUp } from "./streams-catch-up.ts"
import { streamsIdle } from "./streams-idle.ts"
import { streamsLive } from "./streams-live.ts"
import { timersMillion } from "./timers-million.ts"
import { turn } from "./turn.ts"
import { waiting } from "./waiting.ts"

export const benches: readonly Bench[] = [
  start,
  size,
  turn,
  step,
  dispatch,
  idle,
  inFlight,
  waiting,
  idleMillion,
  timersMillion,
  history,
  longLife,
  store,
  claims,
  echoPeer,
  postgresTurn,
  postgresReplicas,
  postgresCost,
  scale,
  streams,
  streamsLive,
  streamsCatchUp,
  streamsIdle,
  fanOut,
  mapReduce,
  observeMillion,
  code,
  page,
  pageMemory,
]
