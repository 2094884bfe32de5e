import type { Connection } from "./http.ts"
import { latency } from "./stats.ts"

const SAMPLES = 200
/** How long after its acceptance a message's reply is first looked for. */
const LOOK_AFTER_MS = 4
const LOOKS_MAX = 200
const NANOSECONDS_PER_MS = 1_000_000n

export interface Started {
  /** p50 from before the request is written. */
  readonly sentMs: number
  /** p50 from when the 202 is here; 0 for a handler that was entered before. */
  readonly acceptedMs: number
  readonly turns: number
}

interface RunRows {
  readonly rows: readonly {
    readonly key: string
    readonly value: { readonly reply?: string; readonly status: string }
  }[]
}

/** How long messages wait for their handler, one at a time, by a type whose handler replies with when it was entered. */
export async function handlerStarted(connection: Connection, type: string, from: number): Promise<Started> {
  const sent = new Float64Array(SAMPLES)
  const accepted = new Float64Array(SAMPLES)
  const agents = 20
  for (let n = 0; n < agents; n++)
    await connection.json("PUT", `/v1/entities/${type}/s${from}-${n}?wait=20s`, { args: {}, message: "first" })
  for (let n = 0; n < SAMPLES; n++) {
    const path = `/v1/entities/${type}/s${from}-${n % agents}`
    const turn = Math.floor(n / agents) + 2
    const sentAt = process.hrtime.bigint()
    await connection.json("POST", `${path}/messages`, { content: "when?" })
    const acceptedAt = process.hrtime.bigint()
    const startedAt = await replyOf(connection, path, turn)
    sent[n] = ms(startedAt - sentAt)
    accepted[n] = Math.max(0, ms(startedAt - acceptedAt))
  }
  return { sentMs: latency(sent).p50, acceptedMs: latency(accepted).p50, turns: 1 }
}

/** The reply of an entity's run number `count`. */
async function replyOf(connection: Connection, path: string, count: number): Promise<bigint> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER_MS))
    const { rows } = await connection.json<RunRows>("GET", `${path}/state/run`)
    const run = rows[count - 1]
    if (run?.value.reply !== undefined) return BigInt(run.value.reply)
  }
  throw new Error(`${path}: run ${count} was never over`)
}

function ms(nanoseconds: bigint): number {
  return Number(nanoseconds) / Number(NANOSECONDS_PER_MS)
}
