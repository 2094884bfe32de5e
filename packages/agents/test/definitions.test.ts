import { afterEach, expect, test } from "vitest"
import { z } from "zod"
import { defineEntity, tool } from "../src/index.ts"
import { clearRegistry, registeredEntities, typeManifest, validateArgs, withRegistry } from "../src/runtime.ts"

afterEach(() => clearRegistry())

const handler = () => undefined
const row = z.object({ id: z.string() })

test("definitions are registered under a shared symbol, and a reload does not touch them until it succeeds", async () => {
  const one = defineEntity("one", { handler })
  expect(registeredEntities()).toEqual(new Map([["one", one]]))
  expect((globalThis as Record<symbol, unknown>)[Symbol.for("rouse.entities")]).toEqual(new Map([["one", one]]))
  const loaded = await withRegistry(() => defineEntity("two", { handler }))
  expect([...loaded.keys()]).toEqual(["two"])
  await expect(withRegistry(() => Promise.reject(new Error("does not compile")))).rejects.toThrow()
  expect([...registeredEntities().keys()]).toEqual(["one"])
})

test.each([
  ["Upper", { handler }, "name must begin with a lower-case letter"],
  ["ok", {}, "handler must be a function"],
  ["ok", { handler, args: {} }, "args must be a Standard Schema"],
  ["ok", { handler, attempts: 0 }, "attempts must be a positive whole number"],
  ["ok", { handler, timeout: 1.5 }, "timeout must be a positive whole number"],
  ["ok", { handler, concurrency: -1 }, "concurrency must be a positive whole number"],
  ["ok", { handler, state: { message: { schema: row, key: "id" } } }, "state.message is the name of a built-in"],
  [
    "ok",
    { handler, state: { attachment: { schema: row, key: "id" } } },
    "state.attachment is the name of a built-in or reserved",
  ],
  ["ok", { handler, state: { "a b": { schema: row, key: "id" } } }, "state.a b must begin with a letter"],
  ["ok", { handler, state: { rows: { schema: {}, key: "id" } } }, "state.rows.schema must be a Standard Schema"],
  ["ok", { handler, state: { rows: { schema: row } } }, "state.rows.key must name the property"],
])("defineEntity(%j, %o) is refused", (name, options, rule) => {
  expect(() => defineEntity(name, options as never)).toThrow(rule)
  expect(registeredEntities().size).toBe(0)
})

const good = { name: "t", description: "d", input: z.object({}), effect: "pure", execute: () => 1 }

test.each([
  [{ name: "with space" }, "name must be 1 to 64"],
  [{ description: undefined }, "description is required"],
  [{ input: undefined }, "input must be a Standard Schema"],
  [{ effect: undefined }, "effect is required: one of pure, idempotent, reconcilable, once"],
  [{ effect: "reconcilable" }, "reconcile is required"],
  [{ execute: undefined }, "execute must be a function"],
  [{ timeout: 0 }, "timeout must be a positive"],
  [{ retry: { attempts: 99 } }, "retry.attempts must be 1 to 10"],
  [{ effect: "once", retry: { attempts: 2 } }, 'retry is not possible with effect "once"'],
  [
    { input: { "~standard": { version: 1, vendor: "mine", validate: () => ({ value: 1 }) } } },
    "inputSchema is required",
  ],
])("tool with %o is refused", (wrong, rule) => {
  expect(() => tool({ ...good, ...wrong } as never)).toThrow(rule)
})

test("a tool shows its input as JSON Schema, or what it is given", () => {
  expect(tool({ ...good, effect: "pure", input: z.object({ a: z.string() }) }).inputSchema).toEqual({
    type: "object",
    properties: { a: { type: "string" } },
    required: ["a"],
  })
  const inputSchema = { type: "object" }
  expect(tool({ ...good, effect: "pure", inputSchema }).inputSchema).toBe(inputSchema)
})

test("types show their arguments, and refuse wrong ones by path", async () => {
  const definition = defineEntity("support", {
    description: "Helps",
    args: z.object({ customer: z.object({ name: z.string() }) }),
    state: { notes: { schema: row, key: "id" } },
    handler,
  })
  expect(typeManifest(definition)).toMatchObject({
    name: "support",
    description: "Helps",
    collections: ["notes"],
    args: { type: "object", required: ["customer"] },
  })
  await expect(validateArgs(definition, { customer: { name: "Ada" } })).resolves.toEqual({ customer: { name: "Ada" } })
  await expect(validateArgs(definition, { customer: { name: 1 } })).rejects.toThrow(
    "args.customer.name: Invalid input: expected string",
  )
  await expect(validateArgs(definition, [])).rejects.toMatchObject({ code: "INVALID_ARGS" })
})
