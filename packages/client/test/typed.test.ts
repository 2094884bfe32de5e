import { defineEntity, defineShared } from "@rouse/agents"
import type { EntitySummary, RunRow } from "@rouse/protocol"
import { expectTypeOf, test } from "vitest"
import { z } from "zod"
import { createClient } from "../src/index.ts"
import type { AnyClient, Client, MessageOf, SpaceRows, TypedClient } from "../src/index.ts"

/** What the compiler knows of an app. Nothing here runs but the definitions: `tsc -p tsconfig.test.json` is the test. */

const handler = (): void => undefined
const message = z.union([z.string(), z.object({ type: z.literal("refund"), cents: z.number().default(0) })])
const note = z.object({ id: z.string(), text: z.string() })
const app = {
  support: defineEntity("support", {
    args: z.object({ customer: z.string() }),
    message,
    state: { notes: { schema: note, key: "id" } },
    handler,
  }),
  assistant: defineEntity("assistant", { args: z.object({ tone: z.string().optional() }), handler }),
  plain: defineEntity("plain", { handler }),
  board: defineShared("board", { collections: { tasks: { schema: note, key: "id" } } }),
  helper: () => 1,
  LIMIT: 3,
}
type App = typeof app

const client = createClient<App>({ url: "http://127.0.0.1:1" })
const compiled = (_call: () => unknown): void => undefined

test("addresses are those of the app's types", () => {
  const id = "ann" as string
  compiled(() => client.get(`/support/${id}`))
  compiled(() => client.get("/plain/one"))
  // @ts-expect-error there is no such type
  compiled(() => client.get("/suport/ann"))
  // @ts-expect-error a text is no address of the app's
  compiled(() => client.get(id))
})

test("messages are what the type's schema takes", () => {
  expectTypeOf<MessageOf<App, "/support/ann">>().toEqualTypeOf<
    string | { type: "refund"; cents?: number | undefined }
  >()
  compiled(() => client.send("/support/ann", { type: "refund" }))
  compiled(() => client.ask("/support/ann", "hello"))
  compiled(() => client.send("/plain/one", { any: ["json", 1] }))
  // @ts-expect-error not one of its kinds
  compiled(() => client.send("/support/ann", { type: "return" }))
  // @ts-expect-error a number is no message of it
  compiled(() => client.stream("/support/ann", 1))
})

test("spawn asks for the arguments that are required", () => {
  compiled(() => client.spawn("/support/ann", { args: { customer: "ann" }, message: "hi" }))
  compiled(() => client.spawn("support", undefined, { args: { customer: "ann" } }))
  compiled(() => client.spawn("assistant"))
  compiled(() => client.spawn("plain", "one", { args: { whatever: true } }))
  // @ts-expect-error `customer` is missing
  compiled(() => client.spawn("/support/ann", { args: {} }))
  // @ts-expect-error `args` are missing
  compiled(() => client.spawn("/support/ann"))
  // @ts-expect-error the first message is one of its kinds
  compiled(() => client.spawn("/support/ann", { args: { customer: "ann" }, message: 1 }))
})

test("state is rows of the author's collections and of the built-in ones", () => {
  const notes = () => client.state("/support/ann", "notes")
  const runs = () => client.state("/plain/one", "run")
  expectTypeOf<Awaited<ReturnType<typeof notes>>["rows"][number]["value"]>().toEqualTypeOf<z.infer<typeof note>>()
  expectTypeOf<Awaited<ReturnType<typeof runs>>["rows"][number]["value"]>().toEqualTypeOf<RunRow>()
  // @ts-expect-error it has no such collection
  compiled(() => client.state("/plain/one", "notes"))
})

test("what is listed can be written to", () => {
  const all = () => client.list()
  const some = () => client.list({ type: "support", limit: 5 })
  type Some = Awaited<ReturnType<typeof some>>["entities"][number]
  expectTypeOf<Some["url"]>().toEqualTypeOf<`/support/${string}`>()
  expectTypeOf<Awaited<ReturnType<typeof all>>["entities"][number]>().toExtend<EntitySummary>()
  compiled(async () => {
    for (const { url } of (await some()).entities) await client.send(url, { type: "refund" })
  })
  // @ts-expect-error no type of the app's
  compiled(() => client.list({ type: "suport" }))
})

test("shared spaces have the rows of their definition", () => {
  expectTypeOf<SpaceRows<App, "board">["tasks"]>().toEqualTypeOf<z.infer<typeof note>>()
  const page = () => client.shared<"board">("sprint").rows("tasks")
  expectTypeOf<Awaited<ReturnType<typeof page>>["rows"][number]["value"]["text"]>().toEqualTypeOf<string>()
  // @ts-expect-error it has no such collection
  compiled(() => client.shared<"board">("sprint").rows("notes"))
  // @ts-expect-error no definition of a space
  compiled(() => client.shared<"support">("sprint"))
})

test("a client without an app takes everything, and both are good for what works with either", () => {
  const untyped = createClient({ url: "http://127.0.0.1:1" })
  expectTypeOf(untyped).toEqualTypeOf<Client>()
  compiled(() => untyped.send("/any/thing", { any: 1 }))
  compiled(() => untyped.spawn("any", { args: { a: 1 } }))
  expectTypeOf<Client>().toExtend<AnyClient>()
  expectTypeOf<TypedClient<App>>().toExtend<AnyClient>()
})
