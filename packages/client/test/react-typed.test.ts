import { defineEntity, defineShared } from "@rouse/agents"
import { expect, expectTypeOf, test } from "vitest"
import { z } from "zod"
import { createClient } from "../src/index.ts"
import { typedHooks, useAgent, useTimeline } from "../src/react.ts"
import type { TypedHooks } from "../src/react.ts"

/** What the compiler knows of the hooks of an app. None is called but for its type: `tsc -p tsconfig.test.json` is the test. */

const handler = (): void => undefined
const note = z.object({ id: z.string(), text: z.string() })
const vote = z.object({ id: z.string(), count: z.number() })
const app = {
  support: defineEntity("support", {
    args: z.object({ customer: z.string() }),
    message: z.union([z.string(), z.object({ type: z.literal("refund"), cents: z.number() })]),
    state: { notes: { schema: note, key: "id" } },
    handler,
  }),
  plain: defineEntity("plain", { handler }),
  board: defineShared("board", {
    collections: { tasks: { schema: note, key: "id" }, votes: { schema: vote, key: "id" } },
  }),
  helper: () => 1,
}
type App = typeof app

const client = createClient<App>({ url: "http://127.0.0.1:1" })
const hooks = typedHooks<App>()
const compiled = (_call: () => unknown): void => undefined

test("the hooks are those that know no app, and a client says which app it is as well", () => {
  expect(hooks.useAgent).toBe(useAgent)
  expect(hooks.useTimeline).toBe(useTimeline)
  expectTypeOf(typedHooks<typeof client>()).toEqualTypeOf<TypedHooks<App>>()
  expectTypeOf(hooks.useClient).returns.toEqualTypeOf<typeof client>()
})

test("an agent is one of the app's, and takes what its type takes", () => {
  const agent = () => hooks.useAgent("/support/ann", { spawn: { args: { customer: "ann" }, message: "hi" } })
  compiled(() => agent().send({ type: "refund", cents: 5 }, { mode: "queue" }))
  // @ts-expect-error not one of its kinds
  compiled(() => agent().send({ type: "return" }))
  // @ts-expect-error a number is no message of it
  compiled(() => agent().send(5))
  // @ts-expect-error there is no such type
  compiled(() => hooks.useAgent("/suport/ann"))
  // @ts-expect-error `customer` is missing
  compiled(() => hooks.useAgent("/support/ann", { spawn: { args: {} } }))
  // @ts-expect-error there is no such type
  compiled(() => hooks.useTimeline("/suport/ann"))
  compiled(() => hooks.useAgent("/plain/one").send({ any: ["json", 1] }))
})

test("rows are those of the type's collections", () => {
  const { rows } = {} as ReturnType<typeof hooks.useAgent<"/support/ann">>
  expectTypeOf<NonNullable<(typeof rows)["notes"]>[number]["value"]>().toEqualTypeOf<z.infer<typeof note>>()
  // @ts-expect-error it has no such collection
  compiled(() => rows.votes)
  // @ts-expect-error the built-in ones are shown as the timeline
  compiled(() => rows.run)
})

test("what is listed can be opened", () => {
  const some = () => hooks.useAgents({ type: "support", limit: 5 })
  expectTypeOf<ReturnType<typeof some>["agents"][number]["url"]>().toEqualTypeOf<`/support/${string}`>()
  compiled(() => hooks.useAgents().agents.map(({ url }) => hooks.useTimeline(url)))
  // @ts-expect-error no type of the app's
  compiled(() => hooks.useAgents({ type: "suport" }))
  // @ts-expect-error no type of the app's
  compiled(() => hooks.useApprovals({ type: "suport" }))
  compiled(() => hooks.useApprovals({ type: "support" }).approvals.map(({ entity }) => hooks.useAgent(entity)))
})

test("a shared space has the rows of its definition", () => {
  const tasks = () => hooks.useShared("board", "sprint", "tasks")
  const votes = () => hooks.useShared("board", "sprint", "votes")
  expectTypeOf<ReturnType<typeof tasks>["rows"][number]["value"]>().toEqualTypeOf<z.infer<typeof note>>()
  expectTypeOf<ReturnType<typeof votes>["rows"][number]["value"]["count"]>().toEqualTypeOf<number>()
  compiled(() => votes().space.insert("tasks", [{ id: "t1", text: "Write" }]))
  // @ts-expect-error `text` is missing
  compiled(() => votes().space.insert("tasks", [{ id: "t1" }]))
  // @ts-expect-error it has no such collection
  compiled(() => hooks.useShared("board", "sprint", "notes"))
  // @ts-expect-error no definition of a space
  compiled(() => hooks.useShared("support", "sprint", "notes"))
})
