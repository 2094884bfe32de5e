import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider"
import type { AttachmentInfo, Json } from "@rouse/protocol"
import { expect, test } from "vitest"
import { z } from "zod"
import { filesThatFit, FILE_BYTES_MAX, labelOf, tokensOfFile } from "../src/core/files.ts"
import { defineEntity, tool } from "../src/index.ts"
import { createTestRouse, scriptedModel } from "../src/testing.ts"

const A = "/agent/one"
const PNG = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 1, 2, 3])

/** A model that keeps what it was asked, and may say no. */
function watched(
  name: string,
  answers: readonly unknown[],
  refuse: (call: LanguageModelV4CallOptions) => boolean = () => false,
) {
  const calls: LanguageModelV4CallOptions[] = []
  const inner = scriptedModel(answers as never)
  const model: LanguageModelV4 = {
    ...inner,
    specificationVersion: "v4",
    supportedUrls: {},
    provider: name,
    modelId: name,
    doGenerate: () => Promise.reject(new Error("streams only")),
    doStream: async (call) => {
      calls.push(call)
      if (refuse(call)) throw Object.assign(new Error("this model does not support image input"), { statusCode: 400 })
      return inner.doStream(call)
    },
  }
  return { model, calls }
}

/** The files of a prompt, wherever they are. */
function filesIn(value: unknown): readonly { mediaType: string; data: { data: Uint8Array } }[] {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return []
  if ((value as { type?: string }).type === "file") return [value as never]
  return Object.values(value).flatMap(filesIn)
}

function setUp(model: LanguageModelV4, put = PNG) {
  const camera = tool({
    name: "camera",
    description: "Takes a picture",
    input: z.object({}),
    effect: "idempotent",
    execute: async (_, { attachments }) => ({
      taken: true,
      picture: await attachments.put(put, { name: "photo.png", mediaType: "image/png" }),
    }),
  })
  const agent = defineEntity("agent", {
    async handler(ctx) {
      ctx.useAgent({ systemPrompt: "", model: "seeing", tools: [...ctx.tools, camera] })
      await ctx.agent.run()
    },
  })
  return createTestRouse({ entities: [agent], models: { seeing: model } })
}

test("a picture that a tool took reaches a model that sees it in results, byte for byte, and is in no row", async () => {
  const { model, calls } = watched("anthropic.messages", [{ calls: [{ tool: "camera", input: {} }] }, "A cat."])
  const rouse = setUp(model)
  await rouse.spawn(A)
  await rouse.ask(A, "look")
  const [file] = filesIn(calls[1]?.prompt)
  expect([file?.mediaType, file?.data.data]).toEqual(["image/png", PNG])
  expect(filesIn(calls[0]?.prompt)).toEqual([])
  const call = rouse.rows(A, "tool_call")[0]
  expect(call?.output).toMatchObject({ picture: { type: "attachment", name: "photo.png", size: PNG.length } })
  expect(rouse.rows(A, "attachment")).toMatchObject([
    { name: "photo.png", call: call?.id, run: "r000001", by: { id: A } },
  ])
})

test("to a provider whose results hold no files the picture is only named", async () => {
  const { model, calls } = watched("local.chat", [{ calls: [{ tool: "camera", input: {} }] }, "A cat."])
  const rouse = setUp(model)
  await rouse.spawn(A)
  await rouse.ask(A, "look")
  expect(filesIn(calls[1]?.prompt)).toEqual([])
  expect(JSON.stringify(calls[1]?.prompt)).toContain("photo.png")
})

test("a model that refuses a picture is asked again without it, and not shown one again", async () => {
  const sees = (call: LanguageModelV4CallOptions): boolean => filesIn(call.prompt).length > 0
  const { model, calls } = watched(
    "anthropic.blind",
    [{ calls: [{ tool: "camera", input: {} }] }, "I see no picture.", "Still none."],
    sees,
  )
  const rouse = setUp(model)
  await rouse.spawn(A)
  expect(await rouse.ask(A, "look")).toBe("I see no picture.")
  expect(calls.map(sees)).toEqual([false, true, false])
  await rouse.ask(A, "again")
  expect(calls.map(sees)).toEqual([false, true, false, false])
})

test("the model reads a text in parts and a picture as it is; what is neither is said", async () => {
  const seen: Json[] = []
  const model = scriptedModel(["Done."])
  const agent = defineEntity("agent", {
    async handler(ctx) {
      const text = await ctx.attachments.put("über ".repeat(10), { name: "t.txt" })
      const image = await ctx.attachments.put(new Blob([PNG], { type: "image/png" }), { name: "i.png" })
      const bytes = await ctx.attachments.put(new Blob(["bytes"]).stream(), { name: "b.bin" })
      const read = ctx.tools.find(({ name }) => name === "read_attachment")
      const run = async (id: string, more = {}): Promise<void> => {
        const output = await read?.execute({ id, ...more }, {} as never).catch((error: Error) => error.message)
        seen.push(output as Json)
      }
      await run(text.id, { offset: 5, limit: 4 })
      await run(text.id, { offset: 45 })
      await run(image.id)
      await run(bytes.id)
      const found = await ctx.attachments.get(text.id)
      seen.push([
        await found?.text(),
        (await ctx.attachments.list()).map(({ name }) => name),
        (await found?.bytes())?.length,
      ] as Json)
      seen.push((await ctx.attachments.get("0".repeat(64))) === undefined)
    },
  })
  const rouse = createTestRouse({ entities: [agent], models: { seeing: model } })
  await rouse.spawn(A)
  await rouse.ask(A, "go")
  expect(seen).toEqual([
    { text: "über", offset: 5, next: 9 },
    { text: "über ", offset: 45, next: null },
    expect.objectContaining({ type: "attachment", mediaType: "image/png" }),
    expect.stringContaining("cannot be read as text"),
    ["über ".repeat(10), ["t.txt", "i.png", "b.bin"], 60],
    true,
  ])
})

test("files that fit: the newest, each once, none that is too large or of a kind that is not shown", () => {
  const file = (n: number, size: number, mediaType = "image/png"): AttachmentInfo => {
    return { type: "attachment", id: String(n).padStart(64, "0"), name: `${n}`, mediaType, size }
  }
  const fits = (...files: AttachmentInfo[]): readonly string[] => filesThatFit(files).map(({ name }) => name)
  expect(fits(file(1, 9), file(2, 9), file(1, 9))).toEqual(["1", "2"])
  expect(fits(file(1, FILE_BYTES_MAX + 1), file(2, 9, "text/html"), file(3, 0), file(4, 9, "image/svg+xml"))).toEqual(
    [],
  )
  expect(fits(...[1, 2, 3, 4, 5].map((n) => file(n, FILE_BYTES_MAX)))).toEqual(["5", "4", "3"])
  expect([tokensOfFile(file(1, 9)), tokensOfFile(file(1, 400_000, "application/pdf"))]).toEqual([1_600, 16_000])
  expect(labelOf({ ...file(1, 9), name: 'a"\nb' })).toContain('"a\\"\\nb"')
})
