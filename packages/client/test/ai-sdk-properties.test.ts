import type { ChangeEvent } from "@rouse/protocol"
import { partKey, stepKey } from "@rouse/protocol"
import { readUIMessageStream } from "ai"
import type { UIMessage, UIMessageChunk } from "ai"
import * as fc from "fast-check"
import { expect, test } from "vitest"
import { RunWriter } from "../src/ai-sdk/run-writer.ts"
import { turnOfRun } from "../src/ai-sdk/turns.ts"
import { chatMessages } from "../src/ai-sdk.ts"
import { applyChanges, emptyTimeline } from "../src/index.ts"

/** Runs as they happen, also with steps that are tried again; however they are cut, the chat shows what the log says. */

const RUN = "r000001"
const fileUrl = (): string => "http://x/file"

const put = (type: string, key: string, value: object): ChangeEvent => ({
  type,
  key,
  value: value as never,
  headers: { operation: "insert" },
})

const words = fc.array(fc.constantFrom("a ", "bc ", "d"), { minLength: 1, maxLength: 5 })
const said = fc.record({ kind: fc.constantFrom("text" as const, "reasoning" as const), words, gap: fc.boolean() })
const called = fc.record({
  kind: fc.constant("tool" as const),
  approval: fc.constantFrom("none", "allowed", "denied", "edited", "quorum"),
  status: fc.constantFrom("done", "failed", "unknown", "cancelled"),
})
const part = fc.oneof(said, called)
type PartPlan = typeof part extends fc.Arbitrary<infer P> ? P : never
const step = fc.record({
  /** What was written before each try that failed. */
  before: fc.array(fc.array(said, { maxLength: 2 }), { maxLength: 2 }),
  parts: fc.array(part, { maxLength: 3 }),
  joined: fc.boolean(),
})
const run = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  outcome: fc.constantFrom("completed", "completed", "interrupted"),
  reply: fc.constantFrom("", "another reply", 7),
})

function partEvents(plan: PartPlan, id: string, index: number, settles: boolean): ChangeEvent[] {
  const key = partKey(id, index)
  const at = { run: RUN, step: id, index }
  if (plan.kind === "tool") return toolEvents(plan, key, at)
  const events: ChangeEvent[] = []
  let length = 0
  for (const [n, word] of plan.words.entries()) {
    // A piece in the middle that never came: the settled row has it.
    if (!(plan.gap && settles && n === 1))
      events.push(put("delta", key, { ...at, kind: plan.kind, at: length, text: word }))
    length += word.length
  }
  return settles ? [...events, put(plan.kind, key, { ...at, text: plan.words.join("") })] : events
}

function toolEvents(
  { approval, status }: typeof called extends fc.Arbitrary<infer P> ? P : never,
  key: string,
  at: object,
): ChangeEvent[] {
  const row = { ...at, id: key, name: "t", input: { n: 1 }, status: "intended" }
  const output = { ok: { type: "attachment", id: "a".repeat(64), name: "f", mediaType: "text/plain", size: 1 } }
  const end = put("tool_call", key, { ...row, status, ...(status === "done" ? { output } : { error: "bad" }) })
  if (approval === "none")
    return [put("tool_call", key, row), put("tool_call", key, { ...row, status: "running" }), end]
  const asked = { call: key, tool: "t", input: { n: 1 }, at: "now", status: "waiting", question: "really?" }
  const waiting = [put("tool_call", key, { ...row, status: "waiting" }), put("approval", key, asked)]
  const denied = approval === "denied"
  const edited = approval === "edited" ? { edited: { n: 2 } } : {}
  const vote = approval === "quorum" ? [put("approval", key, { ...asked, votes: [{ decision: "allow" }] })] : []
  const decided = put("approval", key, { ...asked, ...edited, status: denied ? "denied" : "allowed", note: "so" })
  if (denied) return [...waiting, decided, put("tool_call", key, { ...row, status: "denied" })]
  return [
    ...waiting,
    ...vote,
    decided,
    put("tool_call", key, { ...row, ...edited, status: "running" }),
    put("tool_call", key, { ...(end.value as object), ...edited }),
  ]
}

function eventsOf(plan: typeof run extends fc.Arbitrary<infer P> ? P : never): ChangeEvent[] {
  const message = (key: string, status: string): ChangeEvent =>
    put("message", key, {
      id: key,
      kind: "message",
      from: { kind: "user", id: "ann" },
      content: key,
      at: "now",
      status,
      run: RUN,
    })
  const events = [message("m1", "accepted"), put("run", RUN, { id: RUN, status: "running" })]
  for (const [n, { before, parts, joined }] of plan.steps.entries()) {
    const id = stepKey(RUN, n + 1)
    const messages = n === 0 ? ["m1"] : joined ? [`m${n + 1}`] : []
    if (n > 0 && joined) events.push(message(`m${n + 1}`, "accepted"))
    const row = { id, run: RUN, index: n, messages, status: "running" }
    for (const tried of before)
      events.push(put("step", id, row), ...tried.flatMap((one, index) => partEvents(one, id, index, false)))
    events.push(put("step", id, row), ...parts.flatMap((one, index) => partEvents(one, id, index, true)))
    events.push(put("step", id, { ...row, status: "done" }))
  }
  const reply = plan.reply === "" ? {} : { reply: plan.reply }
  events.push(put("run", RUN, { id: RUN, status: plan.outcome, ...reply }), message("m1", "processed"))
  return events
}

async function shownBy(chunks: readonly UIMessageChunk[]): Promise<UIMessage | undefined> {
  const stream = new ReadableStream<UIMessageChunk>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  let last: UIMessage | undefined
  for await (const message of readUIMessageStream({ stream, terminateOnError: true })) last = message
  return last
}

/** Without what only the transport of a chunk tells: names of files. */
const plain = (message: UIMessage | undefined): unknown =>
  JSON.parse(JSON.stringify(message?.parts, (key, value: unknown) => (key === "filename" ? undefined : value)))

test("the chunks of a run, however it is cut, give the message that the log gives", async () => {
  await fc.assert(
    fc.asyncProperty(run, fc.array(fc.nat(12), { maxLength: 30 }), async (plan, cuts) => {
      const events = eventsOf(plan)
      const writer = new RunWriter(fileUrl)
      const chunks: UIMessageChunk[] = []
      let timeline = emptyTimeline()
      for (let from = 0, n = 0; from < events.length; n++) {
        const until = from + 1 + (cuts[n] ?? 3)
        timeline = applyChanges(timeline, events.slice(from, until))
        const turn = turnOfRun(timeline.items, RUN)
        if (turn) chunks.push(...writer.advance(turn))
        from = until
      }
      const turn = turnOfRun(timeline.items, RUN)
      if (turn) chunks.push(...writer.finish(turn, timeline))
      const logged = chatMessages(timeline, fileUrl).find((message) => message.role === "assistant")
      expect(plain(await shownBy(chunks))).toEqual(plain(logged))
    }),
    { numRuns: 300 },
  )
})
