import { defineEntity } from "@rouse/agents"
import type { Context, EntityDefinition, StateSpec, Tool } from "@rouse/agents"
import { z } from "zod"
import { workJointly } from "./joint.ts"
import { AGENT, CHILD, SINK, dutiesOf, messageName, sinkOf } from "../core/work.ts"

const SYSTEM = "Do what the message says."
/** How long a delayed send waits at most: short of a typical restart, and longer. */
const DELAY_MS_MAX = 300

const answered = { schema: z.object({ id: z.string() }), key: "id" } as const

export interface Program {
  readonly tools: readonly Tool[]
  readonly random: () => number
  /** Whether agents ask one another and share a space. */
  readonly joint?: boolean
}

/** The entity types of the program: an agent that does everything a handler can do, where it sends to, and what it spawns. */
export function entitiesOf({ tools, random, joint = false }: Program): readonly EntityDefinition[] {
  const agent = defineEntity(AGENT, {
    description: "Runs scripts with tools of every effect class, sends, and spawns",
    state: { answered },
    async handler(ctx, wake) {
      const nonce = await ctx.step("nonce", () => String(random()))
      const names = wake.messages.flatMap((message) => messageName(message.content) ?? [])
      const sink = sinkOf(ctx.entity.id)
      for (const name of names) ctx.send(sink, { ref: dutiesOf(name).before, nonce })
      ctx.useAgent({ systemPrompt: SYSTEM, model: "rouse/echo", tools: [...ctx.tools, ...tools] })
      await ctx.agent.run()
      for (const name of names) {
        settleDuties(ctx, name, nonce, random)
        if (random() < 0.5) await ctx.commit()
        if (ctx.state.answered.get(name) === undefined) ctx.state.answered.insert({ id: name })
        if (joint) await workJointly(ctx, name)
      }
    },
  })
  const child = defineEntity(CHILD, {
    description: "Answers its first message",
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: SYSTEM, model: "rouse/echo", tools: [...ctx.tools, ...tools] })
      await ctx.agent.run()
    },
  })
  const sink = defineEntity(SINK, {
    description: "Takes what agents send",
    handler: (ctx, wake) => ctx.reply(wake.messages.length),
  })
  return [agent, child, sink]
}

function settleDuties<S extends StateSpec>(
  ctx: Context<unknown, S>,
  name: string,
  nonce: string,
  random: () => number,
): void {
  const { after, later, child } = dutiesOf(name)
  const sink = sinkOf(ctx.entity.id)
  ctx.send(sink, { ref: after, nonce })
  if (later !== undefined) ctx.send(sink, { ref: later, nonce }, { after: Math.ceil(random() * DELAY_MS_MAX) })
  if (child !== undefined) ctx.spawn(CHILD, undefined, { ref: child }, { message: familyOf(child) })
}

/** What a child is told: to have an effect, and to make a child of its own. */
function familyOf(child: string): string {
  return `/call put {"ref":"${child}.put"}\n/spawn ${CHILD} ${child}g /call put {"ref":"${child}g.put"}`
}
