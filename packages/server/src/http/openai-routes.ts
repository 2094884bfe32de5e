import { problemOf, RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { ChatText } from "../core/chat.ts"
import { chatUsage, checkSettled, replyText } from "../openai/answer.ts"
import type { Posted } from "../converse.ts"
import { post } from "../openai/conversation.ts"
import type { ChatRequest } from "../openai/request.ts"
import type { Plane } from "../plane.ts"
import { receiptKey } from "../receipts.ts"
import { waitForSettled } from "../settlement.ts"
import type { Env } from "./entity-routes.ts"
import { admit, type GateOptions, scopeOf } from "./gate.ts"
import { mount, takeBody } from "./mount.ts"
import { completeChat, getModel, listModels } from "./operations/openai.ts"
import { problemResponse } from "./problem.ts"
import { followReply } from "./reply-stream.ts"
import { heartbeat, streamResponse } from "./sse.ts"

/** How long an answer that is not streamed is waited for. */
const WAIT_MS = 600_000

const encoder = new TextEncoder()

/** `/openai/v1`: agents as models of OpenAI's chat completions, for clients that know nothing else. */
export function openaiRoutes(plane: Plane, stop: AbortSignal, gate: GateOptions): Hono<Env> {
  const app = new Hono<Env>()
  app.onError((error) => openaiProblem(plane, error))
  app.use("/openai/*", async (c, next) => {
    c.set("principal", admit(c.req.raw, scopeOf(c.req.method, c.req.path), gate))
    await next()
  })
  mount(app, listModels, (c) => c.json({ object: "list", data: plane.types.names().map(modelOf) }))
  mount(app, getModel, (c) => {
    const name = c.req.param("model") ?? ""
    if (plane.types.get(name)) return c.json(modelOf(name))
    throw new RouseError("UNKNOWN_TYPE", `model: there is no entity type "${name}"`)
  })
  mount(app, completeChat, (c) => complete(plane, c, stop))
  return app
}

function modelOf(id: string): object {
  return { id, object: "model", created: 0, owned_by: "rouse" }
}

async function complete(plane: Plane, c: Context<Env>, stop: AbortSignal): Promise<Response> {
  const { text, body: request } = await takeBody(plane, c, completeChat)
  const receipt = await receiptKey(c.req.raw, c.get("principal"), text)
  const posted = await post(plane, request, c.req.raw.headers, c.get("principal"), receipt)
  const facts = {
    id: `chatcmpl-${posted.url.slice(1).replace("/", "-")}-${posted.message}`,
    created: Math.floor(plane.clock() / 1_000),
    model: request.model,
  }
  if (request.stream === true) {
    const gone = new AbortController()
    const chunks = stream(plane, posted, request, facts, AbortSignal.any([stop, gone.signal]))
    const response = streamResponse(chunks, () => gone.abort())
    response.headers.set("x-rouse-entity", posted.url)
    return response
  }
  const ended = AbortSignal.any([stop, c.req.raw.signal])
  const settled = await waitForSettled(plane, posted.url, posted.message, WAIT_MS, ended)
  checkSettled(settled)
  const message = { role: "assistant", content: replyText(settled.reply), refusal: null }
  const choices = [{ index: 0, message, finish_reason: "stop", logprobs: null }]
  c.header("x-rouse-entity", posted.url)
  return c.json({ ...facts, object: "chat.completion", choices, usage: await chatUsage(plane, settled) })
}

async function* stream(
  plane: Plane,
  posted: Posted,
  request: ChatRequest,
  facts: object,
  stop: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = (delta: object, finish: string | null = null): Uint8Array =>
    data({
      ...facts,
      object: "chat.completion.chunk",
      choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    })
  const shown = new ChatText(posted.message)
  yield chunk({ role: "assistant", content: "" })
  try {
    for await (const found of followReply(plane, posted, posted.from, stop)) {
      if (found.kind === "quiet") {
        yield heartbeat()
        continue
      }
      const { settled } = found
      const more = shown.take(found.events)
      if (more !== "") yield chunk({ content: more })
      if (settled === undefined) continue
      checkSettled(settled)
      const rest = shown.end(replyText(settled.reply))
      if (rest !== "") yield chunk({ content: rest })
      yield chunk({}, "stop")
      if (request.stream_options?.include_usage === true)
        yield data({ ...facts, object: "chat.completion.chunk", choices: [], usage: await chatUsage(plane, settled) })
      yield encoder.encode("data: [DONE]\n\n")
    }
  } catch (error) {
    yield data(bodyOf(error))
  }
}

function data(value: object): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(value)}\n\n`)
}

/** The error as OpenAI's clients read it, with the status and headers of ours. */
function openaiProblem(plane: Plane, error: unknown): Response {
  const { status, headers } = problemResponse(error, plane.log)
  headers.set("content-type", "application/json")
  return new Response(JSON.stringify(bodyOf(error)), { status, headers })
}

function bodyOf(error: unknown): object {
  const { status, code, detail } = problemOf(error)
  const param = /^([a-z_]+)[.:]/.exec(detail ?? "")?.[1] ?? null
  const type = status >= 500 ? "server_error" : status === 429 ? "rate_limit_error" : "invalid_request_error"
  return { error: { message: detail ?? code, type, param, code } }
}
