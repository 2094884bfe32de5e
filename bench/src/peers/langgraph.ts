/**
 * LangGraph.js as a peer of the crash bench: an agent with a tool loop behind a small HTTP server, as its documentation builds one, on its own
 * SQLite checkpointer with `durability: "sync"`. A message that was cut off is resumed when the client sends it again, which is how its
 * documentation resumes a graph: `invoke(null)` on the same thread.
 *
 * Arguments: a data directory, and the ledger's address. Says `{ url }` when it serves; ends when its input does.
 *
 * @see packages/testkit/src/crash/peer-target.ts for what a peer answers.
 */
import { randomUUID } from "node:crypto"
import { mkdirSync } from "node:fs"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { AIMessage, type BaseMessage, HumanMessage, isAIMessage } from "@langchain/core/messages"
import { tool, type StructuredToolInterface } from "@langchain/core/tools"
import { END, MessagesAnnotation, START, StateGraph } from "@langchain/langgraph"
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite"
import { ToolNode } from "@langchain/langgraph/prebuilt"
import { z } from "zod"

/** The tools of the crash bench, and what each does to the world. */
const EFFECTS = { look: "pure", put: "idempotent", charge: "reconcilable", mail: "once", seal: "once" } as const
/** The longest pause before or after an effect, as the program that Rouse runs has it. */
const PAUSE_MS_MAX = 8

const [directory, ledgerUrl] = process.argv.slice(2) as [string, string]
mkdirSync(directory, { recursive: true })

async function pause(): Promise<void> {
  if (Math.random() < 0.5) await sleep(Math.random() * PAUSE_MS_MAX)
}

function effectTool(name: keyof typeof EFFECTS): StructuredToolInterface {
  return tool(
    async ({ ref }: { readonly ref: string }, config: { readonly toolCall?: { readonly id?: string } }) => {
      await pause()
      const body = JSON.stringify({ key: config.toolCall?.id, ref, tool: name, effect: EFFECTS[name] })
      await fetch(`${ledgerUrl}/effect`, { method: "POST", body })
      await pause()
      return JSON.stringify({ ref })
    },
    { name, description: `Has an effect of class ${EFFECTS[name]}`, schema: z.object({ ref: z.string() }) },
  )
}

/** The offline model: the calls of each step of the message's script, and then a last word. */
function callModel({ messages }: { readonly messages: readonly BaseMessage[] }): { readonly messages: BaseMessage[] } {
  const asked = messages.findLastIndex(isHuman)
  const done = messages.slice(asked + 1).filter((message) => message.getType() === "ai").length
  const script = String(messages[asked]?.content ?? "").split("\n/then\n")[done] ?? ""
  const calls = [...script.matchAll(/^\/call (\w+) (\{.*\})$/gm)].map(([, name = "", input = "{}"]) => ({
    name,
    args: JSON.parse(input) as Record<string, unknown>,
    id: randomUUID(),
    type: "tool_call" as const,
  }))
  return { messages: [new AIMessage({ content: calls.length > 0 ? "" : "Done.", tool_calls: calls })] }
}

function next({ messages }: { readonly messages: readonly BaseMessage[] }): "tools" | typeof END {
  const last = messages.at(-1)
  return last !== undefined && isAIMessage(last) && (last.tool_calls?.length ?? 0) > 0 ? "tools" : END
}

const graph = new StateGraph(MessagesAnnotation)
  .addNode("agent", callModel)
  .addNode("tools", new ToolNode((Object.keys(EFFECTS) as (keyof typeof EFFECTS)[]).map(effectTool)))
  .addEdge(START, "agent")
  .addConditionalEdges("agent", next, ["tools", END])
  .addEdge("tools", "agent")
  .compile({ checkpointer: SqliteSaver.fromConnString(join(directory, "checkpoints.sqlite")) })

/** What is under way, by thread: one message at a time. */
const busy = new Map<string, Promise<void>>()

function inTurn(thread: string, work: () => Promise<void>): Promise<void> {
  const turn = (busy.get(thread) ?? Promise.resolve()).then(work, work)
  const kept = turn.finally(() => {
    if (busy.get(thread) === kept) busy.delete(thread)
  })
  busy.set(thread, kept)
  return kept
}

interface Thread {
  readonly messages: readonly BaseMessage[]
  /** Whether something of it is not done: `next` alone leaves out a step whose result is written and not yet applied. */
  readonly open: boolean
}

async function threadOf(thread: string): Promise<Thread> {
  const { values, next: steps, tasks } = await graph.getState({ configurable: { thread_id: thread } })
  const { messages = [] } = values as { readonly messages?: readonly BaseMessage[] }
  const isOver = messages.length === 0 || next({ messages }) === END
  return { messages, open: steps.length > 0 || tasks.length > 0 || !isOver || isHuman(messages.at(-1)) }
}

function isHuman(message: BaseMessage | undefined): boolean {
  return message?.getType() === "human"
}

/** Handles a message once: one that was cut off goes on from its last checkpoint. */
async function handle(thread: string, name: string, content: string): Promise<void> {
  const config = { configurable: { thread_id: thread }, durability: "sync" as const, recursionLimit: 100 }
  const { messages, open } = await threadOf(thread)
  if (open) await graph.invoke(null, config)
  if (messages.some(({ id }) => id === name)) return
  await graph.invoke({ messages: [new HumanMessage({ id: name, content })] }, config)
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? "/", "http://peer")
  const [, kind, agent = ""] = pathname.split("/")
  if (request.method === "POST" && kind === "messages") {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { name, content } = JSON.parse(Buffer.concat(chunks).toString()) as { name: string; content: string }
    await inTurn(agent, () => handle(agent, name, content))
    return send(response, { status: "processed" })
  }
  if (kind === "busy") return send(response, [...busy.keys()])
  if (kind === "thread") {
    const { messages, open } = await threadOf(agent)
    const names = messages.flatMap((message) => (isHuman(message) ? [message.id ?? ""] : []))
    return send(response, { messages: names, open })
  }
  response.writeHead(404).end()
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    if (!response.headersSent) response.writeHead(503)
    response.end(String(error))
  })
})
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}` })}\n`)
})
process.once("SIGTERM", () => {
  void Promise.allSettled(busy.values()).then(() => process.exit(0))
})
process.stdin.on("end", () => process.exit(0)).resume()
