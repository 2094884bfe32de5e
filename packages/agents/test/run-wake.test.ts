import { afterEach, expect, test } from "vitest"
import { defineEntity, tool } from "../src/index.ts"
import { clearRegistry, runWake } from "../src/runtime.ts"
import { RecordingBackend, message, request, testHost } from "./support/backend.ts"
import { z } from "zod"

afterEach(() => clearRegistry())

const assistant = (tools: Parameters<typeof tool>[0][] = []) =>
  defineEntity("assistant", {
    async handler(ctx) {
      ctx.useAgent({
        systemPrompt: "Be brief.",
        model: "rouse/echo",
        tools: [...ctx.tools, ...tools.map((options) => tool(options))],
      })
      await ctx.agent.run()
    },
  })

test("a wake without tools is one commit", async () => {
  const backend = new RecordingBackend()
  await runWake(assistant(), request([message("m1", "hello")]), backend, testHost())
  expect(backend.commits).toMatchInlineSnapshot(`
    [
      {
        "events": [
          {
            "headers": {
              "operation": "insert",
            },
            "key": "r000001-s0001",
            "type": "step",
            "value": {
              "endedAt": "2026-01-02T03:04:05.000Z",
              "finishReason": "stop",
              "id": "r000001-s0001",
              "index": 1,
              "messages": [
                "m1",
              ],
              "model": "rouse/echo",
              "pass": 0,
              "run": "r000001",
              "startedAt": "2026-01-02T03:04:05.000Z",
              "status": "done",
              "usage": {
                "inputTokens": 4,
                "outputTokens": 4,
                "usd": 0.00002,
              },
            },
          },
          {
            "headers": {
              "operation": "insert",
            },
            "key": "r000001-s0001-p000",
            "type": "text",
            "value": {
              "index": 0,
              "run": "r000001",
              "step": "r000001-s0001",
              "text": "You said: hello",
            },
          },
          {
            "headers": {
              "operation": "insert",
            },
            "key": "r000001",
            "type": "run",
            "value": {
              "endedAt": "2026-01-02T03:04:05.000Z",
              "id": "r000001",
              "reply": "You said: hello",
              "startedAt": "2026-01-02T03:04:05.000Z",
              "status": "completed",
              "usage": {
                "inputTokens": 4,
                "outputTokens": 4,
                "usd": 0.00002,
              },
              "wake": "w1",
            },
          },
        ],
        "finish": {
          "kind": "completed",
          "reply": "You said: hello",
        },
        "run": "r000001",
        "seq": 1,
        "take": [
          "m1",
        ],
      },
    ]
  `)
})

test("a wake with tools commits the intents, the results, and the end", async () => {
  const backend = new RecordingBackend()
  const add = {
    name: "add",
    description: "Adds",
    input: z.object({ a: z.number(), b: z.number() }),
    effect: "pure" as const,
    execute: ({ a, b }: { a: number; b: number }) => a + b,
  }
  await runWake(
    assistant([add]),
    request([message("m1", '/call add {"a":1,"b":2}\n/call add {"a":"x"}\n/call nothing')]),
    backend,
    testHost(),
  )
  expect(
    backend.commits.map((commit) =>
      commit.events.map(
        (event) =>
          `${event.headers.operation} ${event.type} ${event.key} ${(event.value as { status?: string }).status ?? ""}`,
      ),
    ),
  ).toMatchInlineSnapshot(`
    [
      [
        "insert run r000001 running",
        "insert step r000001-s0001 done",
        "insert tool_call r000001-s0001-p000 running",
        "insert tool_call r000001-s0001-p001 failed",
        "insert tool_call r000001-s0001-p002 failed",
      ],
      [
        "update tool_call r000001-s0001-p000 done",
      ],
      [
        "insert step r000001-s0002 done",
        "insert text r000001-s0002-p000 ",
        "update run r000001 completed",
      ],
    ]
  `)
  expect(backend.commits.at(-1)?.finish).toMatchInlineSnapshot(`
    {
      "kind": "completed",
      "reply": "Done.
    - add: 3
    - add: The input is not valid. input.a: Invalid input: expected number, received string; input.b: Invalid input: expected number, received undefined
    - nothing: There is no tool "nothing". The tools are: send, spawn, ask, observe, unobserve, add.",
    }
  `)
})
