import { expect, test } from "vitest"
import { modelsIn } from "../src/env-models.ts"
import { runWake as hostWake } from "../src/host-wake.ts"
import { bringModels, modelsOf, offlineModels } from "../src/offline-models.ts"
import { runWake } from "../src/run-wake.ts"
import { defineEntity } from "../src/entity.ts"
import { message, RecordingBackend, request, testHost } from "./support/backend.ts"

const agent = defineEntity("named", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are a test.", model: "claude-sonnet-4-5" })
    await ctx.agent.run()
  },
})

test("without providers there is rouse/echo, and another name says what to give instead", async () => {
  const models = offlineModels({})
  expect(await models("rouse/echo")).toMatchObject({ name: "rouse/echo" })
  await expect(models("gpt-5")).rejects.toMatchObject({
    code: "MODEL_REFUSED",
    message: /useAgent a model of the AI SDK/,
  })
})

test("a wake knows the names that its host brings, and asks for a key only then", async () => {
  const failure = async (run: typeof runWake): Promise<unknown> => {
    const backend = new RecordingBackend()
    const { models: _, ...host } = { ...testHost(), env: {} }
    await run(agent, request([message("m1", "hi")]), backend, host)
    return backend.commits.at(-1)?.finish
  }
  expect(await failure(runWake)).toMatchObject({ kind: "failed", error: { message: /there are no providers here/ } })
  expect(await failure(hostWake)).toMatchObject({ kind: "failed", error: { message: /ANTHROPIC_API_KEY/ } })
})

test("a host's own models come first, and an environment has one resolver", () => {
  const host = testHost()
  const own = { ...host, models: offlineModels({}) }
  bringModels(own, () => modelsIn({}))
  expect(modelsOf(own)).toBe(own.models)
  const env = {}
  expect(modelsIn(env)).toBe(modelsIn(env))
  expect(modelsIn(env)).not.toBe(modelsIn({}))
})
