import { Chat } from "@ai-sdk/react"
import { defineEntity, humanTool, tool } from "@rouse/agents"
import type { ToolCallRow } from "@rouse/protocol"
import {
  lastAssistantMessageIsCompleteWithApprovalResponses as approvalsGiven,
  lastAssistantMessageIsCompleteWithToolCalls as outputsGiven,
} from "ai"
import type { UIMessage } from "ai"
import { expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { rouseChat } from "../src/ai-sdk.ts"
import type { Client } from "../src/index.ts"
import { createClient } from "../src/index.ts"
import { serve } from "./real-server.ts"

/** The unmodified chat of the AI SDK against a real server. */

const assistant = defineEntity("assistant", {
  async handler(ctx) {
    const note = tool({
      name: "note",
      description: "Notes",
      input: z.object({ text: z.string() }),
      effect: "idempotent",
      execute: ({ text }) => ({ noted: text }),
    })
    const refund = tool({
      name: "refund",
      description: "Refunds",
      input: z.object({ cents: z.number() }),
      effect: "once",
      approval: ({ cents }) => (cents > 900 ? { quorum: 2 } : true),
      execute: ({ cents }) => `refunded ${cents}`,
    })
    const ask = humanTool({ name: "ask", description: "Asks", answer: z.object({ color: z.string() }) })
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo", tools: [note, refund, ask] })
    await ctx.agent.run()
  },
})

interface Scene {
  readonly client: Client
  readonly chat: (options?: Partial<ConstructorParameters<typeof Chat>[0]>) => Chat<UIMessage>
  readonly transport: ReturnType<typeof rouseChat>
  /** Another page: a client of its own. */
  readonly other: () => Scene
}

function sceneOf(url: string): Scene {
  const client = createClient({ url, random: () => 0 })
  const transport = rouseChat({ client, type: "assistant" })
  return {
    client,
    transport,
    chat: (options) => new Chat({ id: "one", transport, ...options }),
    other: () => sceneOf(url),
  }
}

const scene = async (): Promise<Scene> => sceneOf((await serve([assistant])).url)

const textOf = (message: UIMessage | undefined): string =>
  (message?.role === "assistant" ? message.parts : []).map((part) => (part.type === "text" ? part.text : "")).join("")

const kindsOf = (message: UIMessage | undefined): string[] =>
  (message?.parts ?? []).map((part) =>
    "state" in part && "toolCallId" in part ? `${part.type}:${part.state}` : part.type,
  )

/** Messages as they say the same, whoever made their ids. */
const said = (messages: readonly UIMessage[]): unknown =>
  JSON.parse(
    JSON.stringify(
      messages.map(({ role, parts }) => ({
        role,
        parts: parts.map((part) => Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined))),
      })),
    ),
  )

test("a chat is an agent: text, reasoning and tools stream, and the log says the same", async () => {
  const { chat, transport, client } = await scene()
  const one = chat()
  const seen = new Set<string>()
  one["~registerMessagesCallback"](() => seen.add(textOf(one.lastMessage)))
  await one.sendMessage({ text: `/think hm\n/say one two three\n/call note {"text":"x"}\n/then\n/say done` })
  expect(one.status).toBe("ready")
  expect(kindsOf(one.lastMessage)).toEqual([
    "step-start",
    "reasoning",
    "text",
    "tool-note:output-available",
    "step-start",
    "text",
  ])
  expect(one.lastMessage).toMatchObject({ id: "r000001", role: "assistant", metadata: { run: "r000001" } })
  expect(textOf(one.lastMessage)).toContain("done")
  expect(said(one.messages)).toEqual(said(await transport.messages("one")))
  await one.sendMessage({ text: "again" })
  expect(one.messages.map((message) => message.role)).toEqual(["user", "assistant", "user", "assistant"])
  expect(textOf(one.lastMessage)).toContain("again")
  expect((await client.state("/assistant/one", "message")).rows).toHaveLength(2)
})

test("a page that is loaded again finds the run where it is, and a chat that never was is empty", async () => {
  const { chat, other } = await scene()
  const before = chat()
  await expect(other().transport.messages("two")).resolves.toEqual([])
  expect(await other().transport.reconnectToStream({ chatId: "two" })).toBeNull()
  const sending = before.sendMessage({ text: `/slow 15\n/say ${"word ".repeat(40)}` })
  await expect.poll(() => textOf(before.lastMessage)).toContain("word word")
  const page = other()
  const after = page.chat({ messages: [] })
  const resuming = after.resumeStream()
  await expect.poll(() => after.status).toBe("streaming")
  await Promise.all([sending, resuming])
  expect(textOf(after.lastMessage)).toBe(textOf(before.lastMessage))
  expect(textOf(after.lastMessage).match(/word/g)).toHaveLength(40)
  expect(said(await page.transport.messages("one"))).toEqual(said(before.messages))
})

test("a page that resumes and follows finds the run where it is, and stops nothing", async () => {
  const { chat, other } = await scene()
  const before = chat()
  const sending = before.sendMessage({ text: `/slow 15\n/say ${"word ".repeat(40)}` })
  await expect.poll(() => textOf(before.lastMessage)).toContain("word word")
  const page = other()
  const after = page.chat({ messages: [] })
  // As `resume: true` does, and then the effect that follows.
  const resuming = after.resumeStream()
  onTestFinished(page.transport.follow(after))
  await Promise.all([sending, resuming])
  await expect.poll(() => after.status).toBe("ready")
  await expect.poll(() => said(after.messages)).toEqual(said(before.messages))
  expect(textOf(after.lastMessage).match(/word/g)).toHaveLength(40)
})

test("two people in one chat see the same, whoever writes", async () => {
  const { chat, transport, other } = await scene()
  const ann = chat()
  const page = other()
  const ben = page.chat()
  for (const end of [transport.follow(ann), page.transport.follow(ben)]) onTestFinished(end)
  const streamed = new Set<string>()
  ben["~registerStatusCallback"](() => streamed.add(ben.status))
  await ann.sendMessage({ text: `/slow 10\n/say ${"word ".repeat(20)}` })
  await expect.poll(() => said(ben.messages)).toEqual(said(ann.messages))
  expect(streamed).toContain("streaming")
  await expect.poll(() => ben.status).toBe("ready")
  await ben.sendMessage({ text: "from ben" })
  await expect.poll(() => said(ann.messages)).toEqual(said(ben.messages))
  expect(ann.messages.map((message) => message.role)).toEqual(["user", "assistant", "user", "assistant"])
  // One who comes later sees all of it.
  const late = other()
  const cid = late.chat()
  onTestFinished(late.transport.follow(cid))
  await expect.poll(() => said(cid.messages)).toEqual(said(ann.messages))
})

test("a message that is sent into a run under way is shown where it joined", async () => {
  const { chat, other } = await scene()
  const ann = chat()
  const page = other()
  const ben = page.chat()
  onTestFinished(page.transport.follow(ben))
  const sending = ann.sendMessage({ text: `/slow 15\n/say ${"word ".repeat(30)}\n/call note {"text":"x"}` })
  await expect.poll(() => textOf(ann.lastMessage)).toContain("word")
  await page.client.send("/assistant/one", "and this")
  await sending
  expect(kindsOf(ann.lastMessage).filter((kind) => kind === "steering-message")).toHaveLength(1)
  await expect.poll(() => said(ben.messages)).toEqual(said(ann.messages))
})

test("an approval is given in the chat, and the run goes on in it", async () => {
  const { chat, transport, client } = await scene()
  const one = chat({ sendAutomaticallyWhen: approvalsGiven })
  await one.sendMessage({ text: `/call refund {"cents":5}\n/then\n/say done` })
  expect(kindsOf(one.lastMessage).at(-1)).toBe("tool-refund:approval-requested")
  await one.addToolApprovalResponse({ id: "r000001-s0001-p000", approved: true, reason: "fine" })
  await expect.poll(() => textOf(one.lastMessage)).toContain("done")
  await expect.poll(() => one.status).toBe("ready")
  expect(said(one.messages)).toEqual(said(await transport.messages("one")))
  await one.sendMessage({ text: `/call refund {"cents":7}` })
  await one.addToolApprovalResponse({ id: "r000002-s0001-p000", approved: false })
  await expect.poll(() => kindsOf(one.lastMessage)).toContain("tool-refund:output-denied")
  await expect.poll(() => one.status).toBe("ready")
  const calls = (await client.state("/assistant/one", "tool_call")).rows.map(
    (row) => row.value as unknown as ToolCallRow,
  )
  expect(calls.map((call) => call.status)).toEqual(["done", "denied"])
})

test("an approval that needs another person is asked for again, not sent again", async () => {
  const { chat, client } = await scene()
  const one = chat({ sendAutomaticallyWhen: approvalsGiven })
  await one.sendMessage({ text: `/call refund {"cents":950}\n/then\n/say done` })
  await one.addToolApprovalResponse({ id: "r000001-s0001-p000", approved: true })
  await expect.poll(() => one.status).toBe("ready")
  await expect.poll(() => kindsOf(one.lastMessage).at(-1)).toBe("tool-refund:approval-requested")
  const { rows } = await client.state("/assistant/one", "approval")
  expect(rows).toMatchObject([{ value: { status: "waiting", votes: [{ decision: "allow" }] } }])
})

test("a question is answered as the output of its tool", async () => {
  const { chat } = await scene()
  const one = chat({ sendAutomaticallyWhen: outputsGiven })
  await one.sendMessage({ text: `/call ask {"question":"Which?"}\n/then\n/say done` })
  expect(kindsOf(one.lastMessage).at(-1)).toBe("tool-ask:input-available")
  await one.addToolOutput({ tool: "ask", toolCallId: "r000001-s0001-p000", output: { color: "red" } })
  await expect.poll(() => textOf(one.lastMessage)).toContain("done")
})

test("stop ends the run; a chat that is taken off the page only looks away", async () => {
  const { chat, client, transport } = await scene()
  const one = chat()
  const outcomes = async (): Promise<unknown[]> =>
    (await client.state("/assistant/one", "run")).rows.map((row) => (row.value as { status?: unknown }).status)
  const slow = { text: `/slow 20\n/say ${"word ".repeat(60)}` }
  const first = one.sendMessage(slow)
  await expect.poll(() => textOf(one.lastMessage)).toContain("word")
  await one.stop()
  await first
  expect(one.status).toBe("ready")
  await expect.poll(outcomes).toEqual(["interrupted"])
  const end = transport.follow(one)
  const second = one.sendMessage(slow)
  await expect.poll(() => textOf(one.lastMessage)).toContain("word")
  void one.stop()
  end()
  await second
  await expect.poll(outcomes).toEqual(["interrupted", "completed"])
})

test("files come along, and are shown from where they are kept", async () => {
  const { chat, transport, client } = await scene()
  const url = `data:text/plain;base64,${btoa("contents")}`
  const one = chat()
  await one.sendMessage({ text: "look", files: [{ type: "file", mediaType: "text/plain", filename: "a.txt", url }] })
  const [message] = await transport.messages("one")
  expect(message?.parts).toMatchObject([{ type: "text" }, { type: "file", filename: "a.txt", mediaType: "text/plain" }])
  const file = message?.parts.find((part) => part.type === "file")
  expect(await (await fetch(file?.url ?? "")).text()).toBe("contents")
  expect(await client.attachments("/assistant/one")).toHaveLength(1)
})

test("what goes wrong is the chat's error, and regenerate asks again", async () => {
  const { chat } = await scene()
  const one = chat()
  await one.sendMessage({ text: "/fail 400" })
  expect(one.status).toBe("error")
  expect(one.error?.message).toContain("400")
  const two = chat({ id: "two" })
  await two.sendMessage({ text: "hello" })
  await two.regenerate()
  expect(two.status).toBe("ready")
  expect(two.lastMessage?.id).toBe("r000002")
  expect(textOf(two.lastMessage)).toContain("hello")
})
