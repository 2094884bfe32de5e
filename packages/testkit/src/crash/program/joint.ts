import { defineShared } from "@rouse/agents"
import type { Context, SharedSchema, StateSpec } from "@rouse/agents"
import { RouseError } from "@rouse/protocol"
import { z } from "zod"
import { COUNTER, TALLY, jointDutiesOf, sinkOf } from "../core/work.ts"

/** Claims of one handler whose time ran out before it was done, until it gives up. */
const CLAIMS_MAX = 8

const collections = {
  jobs: { schema: z.object({ id: z.string(), by: z.string().optional() }), key: "id" },
  counters: { schema: z.object({ id: z.string(), n: z.int() }), key: "id" },
} as const

const tally: SharedSchema<typeof collections> = defineShared(TALLY, { collections })

/**
 * What a message is owed where agents have something in common: a question that another answers, a job that is put into a queue, one that is
 * taken out of it, whoever's it is, and a count of them.
 */
export async function workJointly<S extends StateSpec>(ctx: Context<unknown, S>, name: string): Promise<void> {
  const { asked, told } = jointDutiesOf(name)
  const sink = sinkOf(ctx.entity.id)
  const answer = await ctx.ask(sink, { ref: asked })
  ctx.send(sink, { ref: told, nonce: String(answer) })
  const { jobs, counters } = ctx.shared(TALLY, tally)
  await counters.insert({ id: COUNTER, n: 0 }).catch(unless("ALREADY_EXISTS"))
  await jobs.insert({ id: name })
  for (let claim = 1; claim <= CLAIMS_MAX; claim += 1) {
    const [job] = await jobs.claim()
    if (job === undefined) throw new Error(`there is no job for ${name}, which has put one there`)
    if (await jobs.complete(job, { by: name }).then(() => true, unless("CLAIM_LOST"))) break
  }
  await counters.increment(COUNTER, "n", 1)
}

function unless(code: "ALREADY_EXISTS" | "CLAIM_LOST"): (error: unknown) => false {
  return (error) => {
    if (RouseError.is(error, code)) return false
    throw error
  }
}
