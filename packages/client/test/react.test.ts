import { setTimeout as sleep } from "node:timers/promises"
import { defineEntity, defineShared, tool } from "@rouse/agents"
import { createElement as h } from "react"
import type { ReactNode } from "react"
import { hydrateRoot } from "react-dom/client"
import { renderToString } from "react-dom/server"
import { expect, onTestFinished, test, vi } from "vitest"
import { z } from "zod"
import type { Client } from "../src/index.ts"
import { createClient } from "../src/index.ts"
import { liveOf } from "../src/live.ts"
import { RouseProvider, typedHooks, useAgent, useAgents, useApprovals, useTimeline } from "../src/react.ts"
import type { AgentView, ApprovalsView, TimelineView } from "../src/react.ts"
import { newContainer, render } from "./react-page.ts"
import { serve } from "./real-server.ts"

const assistant = defineEntity("assistant", {
  state: { notes: { schema: z.object({ id: z.string(), text: z.string() }), key: "id" } },
  async handler(ctx, wake) {
    const refund = tool({
      name: "refund",
      description: "Refunds",
      input: z.object({ cents: z.number() }),
      effect: "once",
      approval: true,
      execute: ({ cents }) => `refunded ${cents}`,
    })
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo", tools: [refund] })
    if (wake.first) ctx.state.notes.insert({ id: "n1", text: "made" })
    await ctx.agent.run()
  },
})
const board = defineShared("board", {
  collections: { tasks: { schema: z.object({ id: z.string(), title: z.string() }), key: "id" } },
})

const typed = typedHooks<{ assistant: typeof assistant; board: typeof board }>()

/** A client that notes its requests for logs. */
async function servedClient(): Promise<{ client: Client; reads: URL[]; isReading: () => boolean }> {
  const { url } = await serve([assistant])
  const reads: URL[] = []
  const signals: (AbortSignal | null | undefined)[] = []
  const noting: typeof fetch = (input, init) => {
    const address = new URL(input as string)
    if (address.pathname.startsWith("/v1/stream/")) {
      reads.push(address)
      signals.push(init?.signal)
    }
    return fetch(input, init)
  }
  // Whatever waits waits a tenth as long.
  const clock = { nowMs: Date.now, sleep: (ms: number, signal?: AbortSignal) => sleep(ms / 10, undefined, { signal }) }
  const client = createClient({ url, fetch: noting, clock, random: () => 0 })
  return { client, reads, isReading: () => signals.some((signal) => signal?.aborted !== true) }
}

function lines(items: TimelineView): string {
  return items
    .flatMap((item) => {
      if (item.kind === "outgoing") return [`${item.status}:${String(item.content)}`]
      if (item.kind === "message") return [`user:${String(item.row.content)}`]
      if (item.kind === "step")
        return item.parts.map((part) => (part.kind === "tool" ? part.row.status : `says:${part.text}`))
      return []
    })
    .join("|")
}

function Timeline({ id = "timeline" }: { readonly id?: string }): ReactNode {
  return h("p", { id }, lines(useTimeline("/assistant/one")))
}

test("many hooks on one agent share a connection; a sent message is shown at once, and once", async () => {
  const { client, reads } = await servedClient()
  const seen: string[] = []
  let agent: AgentView | undefined
  function Chat(): ReactNode {
    agent = useAgent("/assistant/one", { spawn: {} })
    seen.push(lines(agent.items))
    return h("p", { id: "state" }, `${agent.phase} ${agent.activity.kind} ${agent.rows["notes"]?.length ?? 0}`)
  }
  const page = render(client, [h(Chat, { key: 1 }), h(Timeline, { key: 2 }), h(Timeline, { key: 3, id: "again" })])
  await expect.poll(() => page.find("state")).toBe("live idle 0")
  const sent = agent?.send("hello")
  await expect.poll(() => page.find("timeline")).toContain("hello")
  expect(await sent).toMatchObject({ url: "/assistant/one" })
  await expect.poll(() => page.find("state")).toBe("live idle 1")
  expect(page.find("timeline")).toMatch(/^user:hello\|says:.*hello/)
  expect(page.find("again")).toBe(page.find("timeline"))
  expect(seen.some((text) => text === "sending:hello")).toBe(true)
  expect(seen.filter((text) => text.split("hello").length > 3 && !text.includes("says"))).toEqual([])
  expect(reads.filter((read) => read.searchParams.get("live") === "sse")).toHaveLength(1)
  expect(reads.filter((read) => read.searchParams.get("offset") === "-1").length).toBeLessThanOrEqual(2)
})

test("an agent that is looked at again is read on from its offset, and forgets nothing", async () => {
  const { client, reads, isReading } = await servedClient()
  await client.spawn("/assistant/one")
  await client.ask("/assistant/one", "first")
  const page = render(client, h(Timeline))
  await expect.poll(() => page.find("timeline")).toContain("says:")
  const store = liveOf(client).agent("/assistant/one")
  page.show(h("p", null, "elsewhere"))
  await expect.poll(() => store.isWatched()).toBe(false)
  await expect.poll(isReading).toBe(false)
  const before = reads.length
  await client.ask("/assistant/one", "later")
  page.show(h(Timeline))
  expect(lines(store.get().items)).toContain("user:first")
  await expect.poll(() => page.find("timeline")).toMatch(/first.*later.*says:/)
  expect(reads.slice(before).map((read) => read.searchParams.get("offset"))).not.toContain("-1")
})

test("a server renders what is there before anything was read, and the page takes it over", async () => {
  const { client } = await servedClient()
  await client.spawn("/assistant/one", { message: "hello" })
  const node = h(RouseProvider, { client, children: h(Timeline) })
  const html = renderToString(node)
  expect(html).toBe(`<p id="timeline"></p>`)
  const complaints = vi.spyOn(console, "error")
  const container = newContainer(html)
  // Already read when the page is hydrated: what the server rendered is still what it begins with.
  const store = liveOf(client).agent("/assistant/one")
  onTestFinished(store.subscribe(() => undefined))
  await expect.poll(() => lines(store.get().items)).toContain("user:hello")
  const root = hydrateRoot(container, node)
  await expect.poll(() => container.textContent).toContain("user:hello")
  expect(complaints).not.toHaveBeenCalled()
  root.unmount()
})

test("a message that is refused is shown as failed, until it is sent again or discarded", async () => {
  const { client } = await servedClient()
  await client.spawn("/assistant/one")
  let agent: AgentView | undefined
  function Chat(): ReactNode {
    agent = useAgent("/assistant/one")
    return h("p", { id: "chat" }, lines(agent.items))
  }
  const page = render(client, h(Chat))
  await expect.poll(() => agent?.phase).toBe("live")
  await agent?.send("x", { attachments: ["no-such-file"] })
  await expect.poll(() => page.find("chat")).toBe("failed:x")
  const failed = agent?.items.find((item) => item.kind === "outgoing")
  expect(failed).toMatchObject({ error: { name: "RouseError" } })
  await agent?.resend(failed?.key ?? "")
  await expect.poll(() => page.find("chat")).toBe("failed:x")
  agent?.discard(failed?.key ?? "")
  await expect.poll(() => page.find("chat")).toBe("")
})

test("approvals of all agents are live; a decision shows at once, and comes back when it is refused", async () => {
  const { client } = await servedClient()
  let approvals: ApprovalsView | undefined
  let agent: AgentView | undefined
  function Inbox(): ReactNode {
    approvals = useApprovals({ type: "assistant" })
    agent = useAgent("/assistant/one")
    return h("p", { id: "inbox" }, approvals.approvals.map((one) => one.entity).join(" "))
  }
  await client.spawn("/assistant/one")
  await client.spawn("/assistant/two")
  const page = render(client, h(Inbox))
  await client.send("/assistant/one", `/call refund {"cents":5}\n/then\n/say done`)
  await client.send("/assistant/two", `/call refund {"cents":7}`)
  await expect.poll(() => page.find("inbox").split(" ").sort()).toEqual(["/assistant/one", "/assistant/two"])
  const one = approvals?.approvals.find(({ entity }) => entity === "/assistant/one")
  if (!one) throw new Error("it is not there")
  await approvals?.decide({ entity: "/assistant/nobody", approval: one.approval }, "allow")
  await expect.poll(() => approvals?.refused?.code).toBe("UNKNOWN_ENTITY")
  const decided = approvals?.decide(one, "allow", "fine")
  await expect.poll(() => page.find("inbox")).toBe("/assistant/two")
  await decided
  await expect.poll(() => lines(agent?.items ?? [])).toContain("says:done")
  // Decided elsewhere, it goes from here too.
  const [two] = approvals?.approvals ?? []
  await client.approve("/assistant/two", two?.approval.call ?? "", "deny")
  await expect.poll(() => page.find("inbox")).toBe("")
  const call = `r000001-s0001-p000`
  await expect(agent?.decide(call, "deny")).rejects.toMatchObject({ name: "RouseError" })
  await agent?.decide(call, "allow")
  expect(agent?.deciding).toEqual({})
})

test("lists and shared spaces are live", async () => {
  const { client } = await servedClient()
  const space = client.shared("sprint")
  await space.define(board.definition)
  function Lists(): ReactNode {
    const { agents, phase, hasMore } = useAgents({ type: "assistant", limit: 2 })
    const { rows } = typed.useShared("board", "sprint", "tasks")
    return [
      h("p", { key: 1, id: "agents" }, `${phase} ${agents.map((agent) => agent.id).join(",")} ${hasMore}`),
      h("p", { key: 2, id: "tasks" }, rows.map(({ key, value }) => `${key}=${value.title}`).join(",")),
    ]
  }
  const page = render(client, h(Lists))
  await expect.poll(() => page.find("agents")).toBe("live  false")
  await client.spawn("/assistant/one")
  await expect.poll(() => page.find("agents")).toBe("live one false")
  await space.insert("tasks", [{ id: "t1", title: "Write" }])
  await expect.poll(() => page.find("tasks")).toBe("t1=Write")
  await space.write("tasks", [{ op: "update", key: "t1", set: { title: "Read" } }])
  await expect.poll(() => page.find("tasks")).toBe("t1=Read")
  await space.write("tasks", [{ op: "delete", key: "t1" }])
  await expect.poll(() => page.find("tasks")).toBe("")
})
