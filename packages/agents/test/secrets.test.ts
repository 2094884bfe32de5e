import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { expect, test } from "vitest"
import { z } from "zod"
import { Redactor } from "../src/core/redactor.ts"
import { formsOf } from "../src/core/secret-forms.ts"
import { defineEntity, envSecrets, fileSecrets, firstSecret, secret, tool } from "../src/index.ts"
import { runWake } from "../src/runtime.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"
import { RecordingBackend, message, request, testHost } from "./support/backend.ts"

const VALUE = 'pa"ss/w+rd é=1'
const REF = secret("PAY_KEY")

test("a reference shows its name and nothing else", () => {
  expect(`${REF}`).toBe("[secret PAY_KEY]")
  expect(JSON.stringify({ key: REF })).toBe('{"key":"[secret PAY_KEY]"}')
  expect(() => secret("../etc/passwd")).toThrow(expect.objectContaining({ code: "INVALID_ARGS" }))
})

const around = fc.string({ maxLength: 40 })
const value = fc.string({ minLength: 8, maxLength: 40, unit: "grapheme" })

test("a secret is found in every form, wherever it stands", () => {
  fc.assert(
    fc.property(value, fc.array(value, { maxLength: 5 }), around, around, (secret, others, before, after) => {
      const redactor = new Redactor([secret, ...others])
      for (const form of formsOf(secret)) expect(redactor.text(before + form + after)).not.toContain(form)
      const whole = Buffer.from(`${before}${secret}${after}`).toString("base64")
      for (const form of formsOf(secret)) expect(redactor.text(whole)).not.toContain(form)
      expect(JSON.stringify(redactor.value({ [secret]: [{ a: before + secret }] }))).not.toContain(secret)
    }),
  )
})

test("a text without secrets comes back as it is, and so does a value", () => {
  const redactor = new Redactor([VALUE])
  const row = { text: "nothing here", list: [1, "two", null, { deep: true }] }
  expect(redactor.value(row)).toBe(row)
  expect(new Redactor(["12345678"]).value({ pin: 12_345_678 })).toEqual({ pin: "[redacted]" })
})

test("pieces of a text show what the whole would", () => {
  fc.assert(
    fc.property(
      value,
      fc.array(fc.oneof(around, fc.constant("")), { minLength: 1, maxLength: 6 }),
      fc.nat(),
      (s, parts, n) => {
        const redactor = new Redactor([s])
        const whole = parts.join(s)
        let shown = ""
        let taken = 0
        for (let end = 0; end <= whole.length; end += 1 + (n % 7)) {
          const rest = whole.slice(taken, end)
          const cut = redactor.settledEnd(rest)
          shown += redactor.text(rest.slice(0, cut))
          taken += cut
          for (const form of formsOf(s)) expect(shown).not.toContain(form)
        }
        expect(shown + redactor.text(whole.slice(taken))).toBe(redactor.text(whole))
      },
    ),
  )
})

test("resolvers: the environment, files, the author's own, one after the other", async () => {
  const directory = await mkdtemp(join(tmpdir(), "rouse-secrets-"))
  try {
    await writeFile(join(directory, "PAY_KEY"), "from-a-file\n")
    const resolver = firstSecret(envSecrets({ OTHER: "from-env" }), fileSecrets(directory))
    expect(await resolver("OTHER")).toBe("from-env")
    expect(await resolver("PAY_KEY")).toBe("from-a-file")
    expect(await resolver("NONE")).toBeUndefined()
    await expect(fileSecrets(directory)("../x")).rejects.toMatchObject({ code: "INVALID_ARGS" })
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

const leak = (how: (value: string) => unknown) =>
  tool({
    name: "leak",
    description: "leaks",
    input: z.object({}),
    effect: "pure",
    execute: async (_, ctx) => {
      const value = await ctx.secret(REF)
      ctx.log.warn(`resolved ${value}`, { value, nested: { list: [value] }, error: new Error(value) })
      return how(value)
    },
  })

test.each([
  ["a result", (value: string) => ({ seen: value, [value]: encodeURIComponent(value) })],
  ["a large result", (value: string) => `${value} `.repeat(10_000)],
  ["an error", (value: string) => Promise.reject(new Error(`bad key ${value} ${btoa("x:aaaa-bbbb-cccc")}`))],
])("%s with a secret shows none", async (_, how) => {
  const logged: unknown[] = []
  const write = (...line: unknown[]): void => void logged.push(line)
  const seen: unknown[] = []
  const leaky = defineEntity("leaky", {
    state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
    async handler(ctx) {
      const value = await ctx.secret("PAY_KEY")
      ctx.tag("t", value)
      ctx.state.notes.insert({ id: "n", text: `note ${value}` })
      ctx.send("/sink/one", { value })
      await ctx.step("s", () => value)
      ctx.useAgent({ systemPrompt: "x", model: "m", tools: [leak(how)] })
      const { text } = await ctx.agent.run()
      ctx.reply(`${text} ${value}`)
    },
  })
  const rouse = createTestRouse({
    entities: [leaky, defineEntity("sink", { handler: (ctx) => ctx.reply("ok") })],
    secrets: (name) => (name === "PAY_KEY" ? "aaaa-bbbb-cccc" : undefined),
    models: { m: scriptedModel([{ calls: [{ tool: "leak", input: {} }] }, "aaaa-bbbb-cccc it is", "again"]) },
    log: { debug: write, info: write, warn: write, error: write },
  })
  await rouse.spawn("/leaky/one")
  await rouse.spawn("/sink/one")
  rouse.send("/leaky/one", "go")
  await rouse.settle()
  seen.push(
    rouse.log("/leaky/one"),
    rouse.log("/sink/one"),
    rouse.rows("/leaky/one", "notes"),
    rouse.tags("/leaky/one"),
    logged,
  )
  const text = JSON.stringify(seen)
  expect(text).toContain("[redacted]")
  for (const form of formsOf("aaaa-bbbb-cccc")) expect(text).not.toContain(form)
})

test("what a model streams piece by piece shows no part of a secret that was cut in two", async () => {
  const secretText = "one two three four"
  const definition = defineEntity("streams", {
    async handler(ctx) {
      await ctx.secret("PAY_KEY")
      ctx.useAgent({ systemPrompt: `never say ${secretText}`, model: "rouse/echo" })
      await ctx.agent.run()
    },
  })
  const backend = new RecordingBackend()
  const said = "so: one two three four five six one two three"
  const host = testHost({ secrets: () => secretText, deltaMs: 10 })
  await runWake(definition, request([message("m1", `/slow 4\n/say ${said}`)]), backend, host)
  const events = backend.commits.flatMap((commit) => commit.events)
  const deltas = events.filter((event) => event.type === "delta" && event.headers.operation !== "delete")
  expect(deltas.length).toBeGreaterThan(1)
  const spelt = deltas.map((event) => (event.value as { text: string }).text).join("")
  const settled = events.findLast((event) => event.type === "text")?.value as { text: string }
  expect(settled.text).toBe("so: [redacted] five six one two three")
  expect(settled.text.startsWith(spelt)).toBe(true)
})

test("a handler's error is clean when its host hears of it, stack and all", async () => {
  const definition = defineEntity("thrower", {
    async handler(ctx) {
      throw new Error(`no ${await ctx.secret("PAY_KEY")}`, { cause: new Error(await ctx.secret("PAY_KEY")) })
    },
  })
  const host = testHost({ secrets: () => "aaaa-bbbb-cccc" })
  const error = await runWake(definition, request([message("m1", "x")]), new RecordingBackend(), host).catch(
    (e: unknown) => e,
  )
  expect(error).toMatchObject({ message: "no [redacted]", cause: { message: "[redacted]" } })
  expect((error as Error).stack).not.toContain("aaaa-bbbb")
})

test.each([
  ["unset", undefined, /PAY_KEY is not set/],
  ["empty", "", /PAY_KEY is not set/],
  ["too short to be told from other text", "short", /shorter than 8/],
])("a secret that is %s is refused", async (_, value, words) => {
  const rouse = createTestRouse({
    entities: [defineEntity("asks", { handler: async (ctx) => void (await ctx.secret("PAY_KEY")) })],
    secrets: () => value,
  })
  await rouse.spawn("/asks/one")
  await expect(rouse.ask("/asks/one", "x")).rejects.toThrow(words)
})

test("keys of the environment are taken out too, and ordinary words are not", async () => {
  const env = { SOME_API_KEY: "aaaaaaaaaaaaaaaa-key", DB_PASSWORD: "postgres" }
  const rouse = createTestRouse({
    entities: [defineEntity("says", { handler: (ctx) => ctx.reply("aaaaaaaaaaaaaaaa-key of postgres") })],
    env,
  })
  await rouse.spawn("/says/one")
  expect(await rouse.ask("/says/one", "x")).toBe("[redacted] of postgres")
})
