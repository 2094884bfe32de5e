import { createServer } from "node:http"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * A model provider on a local port that speaks three wire formats as streams: Anthropic Messages (`POST …/messages`), OpenAI
 * Responses (`POST …/responses`) and OpenAI Chat Completions (`POST …/chat/completions`). What it answers is scripted.
 */
export interface ProviderServer {
  /** Base URL without a path: `http://127.0.0.1:PORT`. */
  readonly url: string
  /** Every request so far. */
  readonly requests: readonly ProviderRequest[]
  close(): Promise<void>
}

export type WireFormat = "anthropic" | "responses" | "chat"

export interface ProviderRequest {
  readonly format: WireFormat
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: ProviderBody
}

/** The request as the provider got it: parsed JSON, read by tests with care. */
export type ProviderBody = Readonly<Record<string, unknown>>

/** What the server answers to one request. */
export interface ProviderAnswer {
  readonly reasoning?: string
  readonly text?: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly input: unknown }[]
  readonly usage?: {
    readonly input: number
    readonly output: number
    readonly cached?: number
    readonly reasoning?: number
  }
  /** Refuses with this status and message, in the format's error body. */
  readonly status?: number
  readonly error?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Destroys the socket after the text. */
  readonly cut?: boolean
  /** Between two pieces of text, milliseconds. */
  readonly paceMs?: number
}

/** The answer for the `n`th request, from 0. */
export type ProviderScript = readonly ProviderAnswer[] | ((request: ProviderRequest, n: number) => ProviderAnswer)

export async function startProviderServer(script: ProviderScript): Promise<ProviderServer> {
  const requests: ProviderRequest[] = []
  const server = createServer((incoming, response) => {
    serve(incoming, response, script, requests).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error(String(error)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  script: ProviderScript,
  requests: ProviderRequest[],
): Promise<void> {
  const format = formatOf(incoming.url ?? "")
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  if (format === undefined) return void response.writeHead(404).end()
  const request = {
    format,
    headers: incoming.headers,
    body: JSON.parse(Buffer.concat(chunks).toString()) as ProviderBody,
  }
  const answer = typeof script === "function" ? script(request, requests.length) : script[requests.length]
  requests.push(request)
  if (answer === undefined) refuse(response, format, { status: 500, error: "the script is over" })
  else if (answer.status !== undefined) refuse(response, format, answer)
  else await stream(response, format, answer)
}

function formatOf(url: string): WireFormat | undefined {
  if (url.endsWith("/chat/completions")) return "chat"
  if (url.endsWith("/responses")) return "responses"
  return url.endsWith("/messages") ? "anthropic" : undefined
}

function refuse(response: ServerResponse, format: WireFormat, answer: ProviderAnswer): void {
  const message = answer.error ?? "refused"
  const type =
    answer.status === 429
      ? "rate_limit_error"
      : answer.status === 401
        ? "authentication_error"
        : "invalid_request_error"
  const body =
    format === "anthropic"
      ? { type: "error", error: { type, message } }
      : { error: { message, type, code: null, param: null } }
  response
    .writeHead(answer.status ?? 500, { "content-type": "application/json", ...answer.headers })
    .end(JSON.stringify(body))
}

async function stream(response: ServerResponse, format: WireFormat, answer: ProviderAnswer): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", ...answer.headers })
  for (const event of FORMATS[format](answer)) {
    if (event === CUT) return void response.destroy()
    response.write(event)
    await new Promise((resolve) => setTimeout(resolve, answer.paceMs ?? 0))
  }
  response.end()
}

/** Stands for the end of the connection in a list of events. */
const CUT = "cut"

const FORMATS: Readonly<Record<WireFormat, (answer: ProviderAnswer) => readonly string[]>> = {
  anthropic: anthropicEvents,
  responses: responsesEvents,
  chat: chatEvents,
}

function pieces(text: string): readonly string[] {
  return text.match(/\s*\S+/g) ?? []
}

function named(event: { readonly type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

function anthropicEvents(answer: ProviderAnswer): readonly string[] {
  const { input, output, cached = 0 } = { input: 10, output: 5, ...answer.usage }
  const events: { readonly type: string }[] = []
  let index = -1
  const block = (start: object, deltas: readonly object[]): void => {
    index += 1
    events.push(
      { type: "content_block_start", index, content_block: start } as { type: string },
      ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
      { type: "content_block_stop", index } as { type: string },
    )
  }
  if (answer.reasoning) {
    const thinking = pieces(answer.reasoning).map((text) => ({ type: "thinking_delta", thinking: text }))
    block({ type: "thinking", thinking: "", signature: "" }, [
      ...thinking,
      { type: "signature_delta", signature: "sealed" },
    ])
  }
  if (answer.text)
    block(
      { type: "text", text: "" },
      pieces(answer.text).map((text) => ({ type: "text_delta", text })),
    )
  for (const call of answer.calls ?? []) {
    block(
      { type: "tool_use", id: call.id, name: call.name, input: {} },
      halves(call.input).map((json) => ({ type: "input_json_delta", partial_json: json })),
    )
  }
  const usage = {
    input_tokens: input - cached,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  }
  const start = {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-test",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage,
    },
  }
  const stop = answer.calls?.length ? "tool_use" : "end_turn"
  const ending = [
    { type: "message_delta", delta: { stop_reason: stop, stop_sequence: null }, usage: { output_tokens: output } },
    { type: "message_stop" },
  ]
  return [...[start, ...events].map(named), ...(answer.cut ? [CUT] : ending.map(named))]
}

function halves(input: unknown): readonly string[] {
  const json = JSON.stringify(input)
  const middle = Math.floor(json.length / 2)
  return [json.slice(0, middle), json.slice(middle)]
}

function chatEvents(answer: ProviderAnswer): readonly string[] {
  const { input, output, cached = 0, reasoning = 0 } = { input: 10, output: 5, ...answer.usage }
  const chunk = (delta: object, finish: string | null = null, usage: object | null = null): string =>
    `data: ${JSON.stringify({ id: "chat_1", object: "chat.completion.chunk", created: 1, model: "gpt-test", choices: usage ? [] : [{ index: 0, delta, finish_reason: finish }], usage })}\n\n`
  const events = [
    chunk({ role: "assistant", content: "" }),
    ...pieces(answer.text ?? "").map((text) => chunk({ content: text })),
  ]
  for (const [index, call] of (answer.calls ?? []).entries()) {
    const [first, second] = halves(call.input)
    events.push(
      chunk({
        tool_calls: [{ index, id: call.id, type: "function", function: { name: call.name, arguments: first } }],
      }),
    )
    events.push(chunk({ tool_calls: [{ index, function: { arguments: second } }] }))
  }
  if (answer.cut) return [...events, CUT]
  const usage = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: reasoning },
  }
  return [
    ...events,
    chunk({}, answer.calls?.length ? "tool_calls" : "stop"),
    chunk({}, null, usage),
    "data: [DONE]\n\n",
  ]
}

function responsesEvents(answer: ProviderAnswer): readonly string[] {
  const { input, output, cached = 0, reasoning = 0 } = { input: 10, output: 5, ...answer.usage }
  const events: object[] = [
    { type: "response.created", response: { id: "resp_1", created_at: 1, model: "gpt-test", service_tier: null } },
  ]
  const items: object[] = []
  const item = (added: object, middle: readonly object[], done: object): void => {
    const output_index = items.length
    items.push(done)
    events.push(
      { type: "response.output_item.added", output_index, item: added },
      ...middle.map((event) => ({ ...event, output_index })),
      { type: "response.output_item.done", output_index, item: done },
    )
  }
  if (answer.reasoning) {
    const id = "rs_1"
    const deltas = pieces(answer.reasoning).map((delta) => ({
      type: "response.reasoning_summary_text.delta",
      item_id: id,
      summary_index: 0,
      delta,
    }))
    const ends = [
      {
        type: "response.reasoning_summary_part.done",
        item_id: id,
        summary_index: 0,
        part: { type: "summary_text", text: answer.reasoning },
      },
    ]
    const starts = [
      {
        type: "response.reasoning_summary_part.added",
        item_id: id,
        summary_index: 0,
        part: { type: "summary_text", text: "" },
      },
    ]
    item({ type: "reasoning", id, summary: [], encrypted_content: null }, [...starts, ...deltas, ...ends], {
      type: "reasoning",
      id,
      summary: [{ type: "summary_text", text: answer.reasoning }],
      encrypted_content: "sealed",
    })
  }
  if (answer.text) {
    const deltas = pieces(answer.text).map((delta) => ({
      type: "response.output_text.delta",
      item_id: "msg_1",
      content_index: 0,
      delta,
    }))
    item({ type: "message", id: "msg_1", role: "assistant", content: [] }, deltas, {
      type: "message",
      id: "msg_1",
      role: "assistant",
      content: [{ type: "output_text", text: answer.text, annotations: [] }],
    })
  }
  for (const [i, call] of (answer.calls ?? []).entries()) {
    const id = `fc_${i}`
    const base = { type: "function_call", id, call_id: call.id, name: call.name }
    const deltas = halves(call.input).map((delta) => ({
      type: "response.function_call_arguments.delta",
      item_id: id,
      delta,
    }))
    item({ ...base, arguments: "", status: "in_progress" }, deltas, {
      ...base,
      arguments: JSON.stringify(call.input),
      status: "completed",
    })
  }
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
  }
  const sent = events.map((event) => named(event as { type: string }))
  return answer.cut
    ? [...sent, CUT]
    : [
        ...sent,
        named({
          type: "response.completed",
          response: { id: "resp_1", incomplete_details: null, usage, service_tier: null },
        } as { type: string }),
      ]
}
