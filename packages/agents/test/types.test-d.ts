import { expectTypeOf } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import type { Collection, JsonObject } from "../src/index.ts"

/** Checked by the compiler alone: see types.test.ts. */

defineEntity("typed", {
  args: z.object({ customer: z.string(), level: z.number().default(1) }),
  state: {
    notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" },
    counters: { schema: z.object({ name: z.string(), n: z.number() }), key: "name" },
  },
  async handler(ctx, wake) {
    expectTypeOf(ctx.args).toEqualTypeOf<{ customer: string; level: number }>()
    expectTypeOf(ctx.state.notes).toEqualTypeOf<Collection<{ id: string; text: string }>>()
    expectTypeOf(ctx.state.counters.get("a")).toEqualTypeOf<{ name: string; n: number } | undefined>()
    expectTypeOf(wake.attempt).toBeNumber()
    expectTypeOf(await ctx.step("x", () => 1)).toBeNumber()
    // @ts-expect-error: no such collection
    void ctx.state.nothing
    // @ts-expect-error: text is missing
    ctx.state.notes.insert({ id: "a" })
  },
})

defineEntity("untyped", {
  handler(ctx) {
    expectTypeOf(ctx.args).toEqualTypeOf<JsonObject>()
    // @ts-expect-error: there are no collections
    void ctx.state.notes
  },
})

tool({
  name: "refund",
  description: "Refunds",
  input: z.object({ cents: z.number() }),
  effect: "once",
  approval: ({ cents }) => cents > 100,
  execute: (input, ctx) => {
    expectTypeOf(input).toEqualTypeOf<{ cents: number }>()
    expectTypeOf(ctx.idempotencyKey).toBeString()
  },
})

tool({
  name: "lookup",
  description: "Looks up",
  input: z.object({ q: z.string() }),
  effect: "reconcilable",
  execute: ({ q }) => ({ found: q }),
  reconcile: ({ q }) => (q === "" ? undefined : { found: q }),
})

// @ts-expect-error: effect is required
tool({ name: "x", description: "", input: z.object({}), execute: () => 1 })
