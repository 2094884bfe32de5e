import { setTimeout as sleep } from "node:timers/promises"
import { tool } from "@rouse/agents"
import type { Tool, ToolContext } from "@rouse/agents"
import type { Effect } from "@rouse/protocol"
import { z } from "zod"
import { TOOLS } from "../core/work.ts"
import type { LedgerClient } from "../ledger-client.ts"

/** The longest pause before or after an effect: where a crash has something to hit. */
const PAUSE_MS_MAX = 8

const input = z.object({ ref: z.string() })

export interface ToolSettings {
  readonly ledger: LedgerClient
  readonly random: () => number
  /** Declares tools of class `once` as `idempotent`: a mistake that the judge must find. */
  readonly rerunOnce: boolean
}

/** The tools of the program, whose every execution is on the outside ledger. */
export function effectTools(settings: ToolSettings): readonly Tool[] {
  return Object.entries(TOOLS).flatMap(([name, { effect, alone, approval, worker }]) =>
    approval || worker ? [] : [effectTool(settings, name, effect, alone ?? false)],
  )
}

function effectTool({ ledger, random, rerunOnce }: ToolSettings, name: string, effect: Effect, alone: boolean): Tool {
  const pause = async (): Promise<void> => {
    if (random() < 0.5) await sleep(random() * PAUSE_MS_MAX)
  }
  return tool({
    name,
    description: `Has an effect of class ${effect}`,
    input,
    effect: rerunOnce && effect === "once" ? "idempotent" : effect,
    parallel: !alone,
    async execute({ ref }: z.infer<typeof input>, { idempotencyKey }: ToolContext) {
      await pause()
      await ledger.record({ key: idempotencyKey, ref, tool: name, effect })
      await pause()
      return { ref }
    },
    async reconcile({ ref }: z.infer<typeof input>, { idempotencyKey }: ToolContext) {
      return (await ledger.find(idempotencyKey)) === undefined ? undefined : { ref }
    },
  })
}
