import { tool, workerTool } from "@rouse/agents"
import type { Tool, ToolContext } from "@rouse/agents"
import { modelResolver } from "@rouse/agents/runtime"
import type { ModelResolver } from "@rouse/agents/runtime"
import type { Effect } from "@rouse/protocol"
import { z } from "zod"
import type { EffectBook } from "../crash/core/effect-book.ts"
import { TOOLS } from "../crash/core/work.ts"
import type { Life } from "./life.ts"
import type { World } from "./world.ts"

const input = z.object({ ref: z.string() })

/** The world outside, over all lives. */
export interface Outside {
  readonly book: EffectBook
  /** Who asked about a call last, by idempotency key: one object a question. */
  readonly askedBy: Map<string, { readonly life: number }>
  /** Calls that an attempt was still at which had been taken for dead, after a later one had asked about them. */
  readonly raced: Set<string>
}

export interface ToolMistakes {
  /** Tools of class `once` are declared as `idempotent`. */
  readonly rerunOnce?: boolean
  /** `reconcile` says that nothing happened, without asking. */
  readonly blindReconcile?: boolean
}

/** The program's tools in one life, whose every execution is in the outside book. */
export function simulatedTools(life: Life, outside: Outside, mistakes: ToolMistakes): readonly Tool[] {
  return Object.entries(TOOLS).map(([name, spec]) =>
    spec.worker ? handedOver(name, spec.effect) : simulatedTool(name, spec, life, outside, mistakes),
  )
}

/** How long a worker may be silent: short, so that leases end while worlds last. */
const HEARTBEAT_MS = 2_000

function handedOver(name: string, effect: Effect): Tool {
  return workerTool({ name, description: `Has an effect of class ${effect}`, input, effect, heartbeat: HEARTBEAT_MS })
}

function simulatedTool(
  name: string,
  { effect, alone, approval }: { readonly effect: Effect; readonly alone?: boolean; readonly approval?: boolean },
  life: Life,
  { book, askedBy, raced }: Outside,
  { rerunOnce = false, blindReconcile = false }: ToolMistakes,
): Tool {
  return tool({
    name,
    description: `Has an effect of class ${effect}`,
    input,
    effect: rerunOnce && effect === "once" ? "idempotent" : effect,
    parallel: !alone,
    ...(approval ? { approval: true } : {}),
    async execute({ ref }: z.infer<typeof input>, { idempotencyKey: key }: ToolContext) {
      const asked = askedBy.get(key)
      await life.gate()
      // Also by a later attempt in the same life, when that was frozen and another one had taken its lease meanwhile.
      const now = askedBy.get(key)
      if (now !== asked || life.id < (now?.life ?? 0)) raced.add(key)
      book.record({ key, ref, tool: name, effect })
      await life.gate()
      return { ref }
    },
    async reconcile({ ref }: z.infer<typeof input>, { idempotencyKey: key }: ToolContext) {
      await life.gate()
      askedBy.set(key, { life: life.id })
      if (blindReconcile) return undefined
      return book.find(key) === undefined ? undefined : { ref }
    },
  })
}

/** `rouse/echo`, which answers when the world lets it, and is busy now and then, but never twice in a row. */
export function simulatedModels(life: Life, world: World): ModelResolver {
  const resolve = modelResolver({ env: {} })
  let failed = false
  return async (name) => {
    const { model, name: full } = await resolve(name)
    return {
      name: full,
      model: {
        ...model,
        doStream: async (options) => {
          await life.gate()
          failed = !failed && world.random.chance(world.weather.modelFails)
          if (failed) throw Object.assign(new Error("the simulated provider is busy"), { statusCode: 529 })
          const answer = await model.doStream(options)
          await life.gate()
          return answer
        },
      },
    }
  }
}
