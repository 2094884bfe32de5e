import { type Part, Role, type SendMessageRequest, type StreamResponse, type Task, TaskState } from "@a2a-js/sdk"
import { type Client, ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory } from "@a2a-js/sdk/client"
import { DefaultAgentCardResolver } from "@a2a-js/sdk/client"
import { defineEntity } from "@rouse/agents"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { parseTokens } from "../src/http/tokens-file.ts"
import { Harness } from "./harness.ts"

/** Agents, as the A2A client of the protocol's own SDK sees them. */

const BASE = "http://localhost"
const TOKEN = "a-token-of-the-test"

const echo = defineEntity("echo", {
  description: "Says what it is told",
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "Echo.", model: "rouse/echo", tools: [...ctx.tools] })
    await ctx.agent.run()
  },
})
const counter = defineEntity("counter", {
  handler: (ctx, wake) => ctx.reply({ heard: wake.messages[0]?.content ?? null }),
})
const slow = defineEntity("slow", {
  async handler(ctx) {
    await ctx.commit()
    await new Promise((resolve) => ctx.signal.addEventListener("abort", resolve, { once: true }))
  },
})
const broken = defineEntity("broken", {
  attempts: 1,
  handler: () => {
    throw new Error("it broke")
  },
})
const strict = defineEntity("waiter", {
  handler: (ctx, wake) =>
    wake.messages.length > 1 || wake.messages[0]?.content === "go on" ? ctx.reply("done") : ctx.suspend(),
})

let harness: Harness
let locked: Harness

beforeAll(async () => {
  harness = await Harness.open({ entities: [echo, counter, slow, broken, strict] })
  locked = await Harness.open({
    entities: [echo],
    tokens: parseTokens(JSON.stringify({ tokens: [{ name: "ann", token: TOKEN, scope: "write" }] })),
  })
})
afterAll(async () => {
  await harness.close()
  await locked.close()
})

function connect(
  type: string,
  server: Harness = harness,
  headers: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const fetchImpl: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    for (const [name, value] of Object.entries({ host: "localhost", ...headers })) request.headers.set(name, value)
    return await server.server.fetch(request)
  }
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
    transports: [new JsonRpcTransportFactory({ fetchImpl })],
    cardResolver: new DefaultAgentCardResolver({ fetchImpl }),
  })
  return new ClientFactory(options).createFromUrl(`${BASE}/a2a/${type}/`)
}

let messages = 0
const text = (value: string): Part => ({
  content: { $case: "text", value },
  metadata: undefined,
  filename: "",
  mediaType: "",
})

function saying(parts: Part[], more: Partial<NonNullable<SendMessageRequest["message"]>> = {}): SendMessageRequest {
  messages += 1
  const message = {
    messageId: `said-${messages}`,
    contextId: "",
    taskId: "",
    role: Role.ROLE_USER,
    parts,
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
    ...more,
  }
  return { tenant: "", message, configuration: undefined, metadata: undefined }
}

const later = (request: SendMessageRequest): SendMessageRequest => ({
  ...request,
  configuration: { acceptedOutputModes: [], taskPushNotificationConfig: undefined, returnImmediately: true },
})
const taskIn = (answer: unknown): Task => answer as Task
const replyOf = ({ artifacts }: Task): unknown => artifacts[0]?.parts[0]?.content?.value

test("the card says what the agent is and where it is spoken to", async () => {
  const client = await connect("echo")
  expect(await client.getAgentCard()).toMatchObject({
    name: "echo",
    description: "Says what it is told",
    capabilities: { streaming: true, pushNotifications: false },
    supportedInterfaces: [{ url: `${BASE}/a2a/echo`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  })
})

describe("a message", () => {
  test("is a task, and its reply the artifact", async () => {
    const client = await connect("echo")
    const task = taskIn(await client.sendMessage(saying([text("hello")])))
    expect(task.status?.state).toBe(TaskState.TASK_STATE_COMPLETED)
    expect(replyOf(task)).toContain("hello")
    expect(task.history[0]?.parts[0]?.content).toEqual({ $case: "text", value: "hello" })
    expect((await harness.call("GET", `/v1/entities/echo/${task.contextId}`)).body).toMatchObject({
      tags: { via: "a2a" },
    })
  })

  test("of the same context goes to the same agent", async () => {
    const client = await connect("echo")
    const first = taskIn(await client.sendMessage(saying([text("one")], { contextId: "room" })))
    const second = taskIn(await client.sendMessage(saying([text("two")], { contextId: "room" })))
    expect([first.contextId, second.contextId]).toEqual(["room", "room"])
    expect(second.id).not.toBe(first.id)
    const { tasks, totalSize } = await client.listTasks({
      ...{ tenant: "", contextId: "room", status: TaskState.TASK_STATE_UNSPECIFIED, pageSize: 1 },
      ...{ pageToken: "", statusTimestampAfter: undefined },
    })
    expect([tasks.map(({ id }) => id), totalSize]).toEqual([[second.id], 2])
  })

  test("sent twice is one", async () => {
    const client = await connect("counter")
    const request = saying([text("once")])
    const [first, second] = [taskIn(await client.sendMessage(request)), taskIn(await client.sendMessage(request))]
    expect(second).toEqual(first)
    expect(await harness.rows(`/counter/${first.contextId}`, "message")).toHaveLength(1)
  })

  test("of data is data, and so is its reply", async () => {
    const client = await connect("counter")
    const data: Part = { ...text(""), content: { $case: "data", value: { cents: 5 } } }
    expect(replyOf(taskIn(await client.sendMessage(saying([data]))))).toEqual({ heard: { cents: 5 } })
  })

  test("whose run fails is a failed task, with the reason", async () => {
    const client = await connect("broken")
    const task = taskIn(await client.sendMessage(saying([text("try")])))
    expect(task.status?.state).toBe(TaskState.TASK_STATE_FAILED)
    expect(JSON.stringify(task.status?.message)).toContain("it broke")
  })

  test("joins the task that it names, as long as that goes on", async () => {
    const client = await connect("waiter")
    const open = taskIn(await client.sendMessage(later(saying([text("begin")]))))
    await harness.until(
      async () =>
        (await harness.call<{ status: string }>("GET", `/v1/entities/waiter/${open.contextId}`)).body.status ===
        "suspended",
      "it waits",
    )
    const done = taskIn(await client.sendMessage(saying([text("go on")], { taskId: open.id })))
    expect([done.id, done.status?.state, replyOf(done)]).toEqual([open.id, TaskState.TASK_STATE_COMPLETED, "done"])
    await expect(client.sendMessage(saying([text("more")], { taskId: open.id }))).rejects.toThrow("the task is over")
  })
})

describe("a stream", () => {
  test("has the task, its state, the text as it comes, and its end", async () => {
    const client = await connect("echo")
    const seen: StreamResponse[] = []
    for await (const part of client.sendMessageStream(saying([text("/say one two three")]))) seen.push(part)
    expect(seen[0]?.payload?.$case).toBe("task")
    expect(said(seen)).toBe("one two three")
    expect(seen.at(-1)?.payload).toMatchObject({
      $case: "statusUpdate",
      value: { status: { state: TaskState.TASK_STATE_COMPLETED } },
    })
  })

  test("is taken up again by whoever has the task", async () => {
    const client = await connect("waiter")
    const open = taskIn(await client.sendMessage(later(saying([text("begin")]))))
    const stream = client.resubscribeTask({ tenant: "", id: open.id })
    expect((await stream.next()).value?.payload).toMatchObject({ $case: "task", value: { id: open.id } })
    await client.sendMessage(saying([text("go on")], { taskId: open.id }))
    const seen: StreamResponse[] = []
    for await (const part of stream) seen.push(part)
    expect(said(seen)).toBe("done")
  })
})

function said(parts: readonly StreamResponse[]): string {
  return parts
    .map(({ payload }) => (payload?.$case === "artifactUpdate" ? payload.value.artifact?.parts[0]?.content?.value : ""))
    .join("")
}

test("a task is cancelled, and its run with it", async () => {
  const client = await connect("slow")
  const task = taskIn(await client.sendMessage(later(saying([text("take your time")]))))
  await harness.until(
    async () => (await client.getTask({ tenant: "", id: task.id })).status?.state === TaskState.TASK_STATE_WORKING,
    "it works",
  )
  const cancelled = await client.cancelTask({ tenant: "", id: task.id, metadata: undefined })
  expect(cancelled.status?.state).toBe(TaskState.TASK_STATE_CANCELED)
  await expect(client.cancelTask({ tenant: "", id: task.id, metadata: undefined })).rejects.toThrow("cancelled")
})

describe("what cannot be", () => {
  test("a type that is not there has no card", async () => {
    await expect(connect("nobody")).rejects.toThrow("404")
  })

  test.each(["nothing", "room:nothing", "../etc:m1", ""])("the task %j is not found or refused", async (id) => {
    await expect((await connect("echo")).getTask({ tenant: "", id })).rejects.toThrow()
  })

  test("files are refused by name", async () => {
    const file: Part = { ...text(""), content: { $case: "url", value: "https://example.com/a.png" } }
    await expect((await connect("echo")).sendMessage(saying([file]))).rejects.toThrow("message.parts")
  })

  test("a message of nothing, and a context that is no name", async () => {
    const client = await connect("echo")
    await expect(client.sendMessage(saying([]))).rejects.toThrow("something to say")
    await expect(client.sendMessage(saying([text("hi")], { contextId: `~${"x".repeat(200)}` }))).rejects.toThrow(
      "contextId",
    )
  })

  test("what is not JSON-RPC, and a version that is not spoken", async () => {
    const post = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
      Promise.resolve(
        harness.server.fetch(
          new Request(`${BASE}/a2a/echo`, { method: "POST", body, headers: { host: "localhost", ...headers } }),
        ),
      )
    expect(await (await post("{")).json()).toMatchObject({ error: { code: -32_602 } })
    expect(await (await post("[]")).json()).toMatchObject({ error: { message: expect.any(String) } })
    expect(await (await post("{}", { "a2a-version": "7.0" })).json()).toMatchObject({ error: { code: -32_009 } })
  })

  test("without a token nobody is spoken to, and nothing is told", async () => {
    await expect(connect("echo", locked)).rejects.toThrow("401")
    const client = await connect("echo", locked, { authorization: `Bearer ${TOKEN}` })
    expect((await client.getAgentCard()).securitySchemes).toHaveProperty("token")
    expect(taskIn(await client.sendMessage(saying([text("hello")]))).status?.state).toBe(TaskState.TASK_STATE_COMPLETED)
  })
})
