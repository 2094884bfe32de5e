import type { Message } from "@a2a-js/sdk"
import { RouseError } from "@rouse/protocol"
import { type Context, Hono } from "hono"
import { loadA2a } from "../a2a/load.ts"
import type { Plane } from "../plane.ts"
import { receiptOf } from "../receipts.ts"
import { readText } from "./body.ts"
import type { Env } from "./entity-routes.ts"
import { mount } from "./mount.ts"
import { callAgent, getAgentCard } from "./operations/a2a.ts"
import { heartbeat, streamResponse } from "./sse.ts"

export interface A2aOptions {
  readonly version: string
  /** Where the server is reached; as the request says when absent. */
  readonly publicUrl: string | undefined
  readonly isOpen: boolean
  readonly stop: AbortSignal
}

const encoder = new TextEncoder()

/** `/a2a/{type}`: agents for other agents that speak A2A 1.0, by its JSON-RPC binding (§9). */
export function a2aRoutes(plane: Plane, options: A2aOptions): Hono<Env> {
  const app = new Hono<Env>()
  mount(app, getAgentCard, async (c) => {
    const { AgentCard } = (await loadA2a()).types
    return c.json(AgentCard.toJSON(await cardFor(plane, c, options)) as object)
  })
  mount(app, callAgent, (c) => call(plane, c, options))
  return app
}

async function call(plane: Plane, c: Context<Env>, options: A2aOptions): Promise<Response> {
  const text = await readText(c.req.raw, plane.limits.bodyBytesMax)
  const { AgentHandler, JsonRpcTransportHandler, ServerCallContext, validateVersion } = await loadA2a()
  const card = await cardFor(plane, c, options)
  const type = c.req.param("type") ?? ""
  const principal = c.get("principal")
  const gone = new AbortController()
  const stop = AbortSignal.any([options.stop, gone.signal])
  const receipt = (message: Message): ReturnType<typeof receiptOf> =>
    receiptOf(`a2a ${type} ${message.messageId}`, principal, JSON.stringify(message))
  const requestedVersion = c.req.header("a2a-version") ?? card.supportedInterfaces[0]?.protocolVersion ?? ""
  const rpc = new JsonRpcTransportHandler(new AgentHandler({ plane, type, card, principal, receipt, stop }))
  try {
    validateVersion(requestedVersion, card)
  } catch (error) {
    return c.json({ jsonrpc: "2.0", id: null, error: JsonRpcTransportHandler.mapToJSONRPCError(error) })
  }
  const answer = await rpc.handle(text, new ServerCallContext({ requestedVersion }))
  if (!(Symbol.asyncIterator in answer)) return c.json(answer)
  return streamResponse(
    frames(answer, text, (error) => JsonRpcTransportHandler.mapToJSONRPCError(error)),
    () => gone.abort(),
  )
}

async function cardFor(plane: Plane, c: Context<Env>, { publicUrl, isOpen, version }: A2aOptions) {
  const { cardOf } = await loadA2a()
  const type = c.req.param("type") ?? ""
  if (!plane.types.get(type)) throw new RouseError("UNKNOWN_TYPE", `there is no entity type "${type}"`)
  return cardOf(plane, type, publicUrl ?? new URL(c.req.url).origin, { version, isOpen })
}

async function* frames(
  answers: AsyncGenerator<object, void, undefined>,
  request: string,
  errorOf: (error: unknown) => object,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield heartbeat()
  try {
    for await (const answer of answers) yield frame(answer)
  } catch (error) {
    const { id = null } = JSON.parse(request) as { readonly id?: unknown }
    yield frame({ jsonrpc: "2.0", id, error: errorOf(error) })
  }
}

function frame(answer: object): Uint8Array {
  return encoder.encode(`data: ${JSON.stringify(answer)}\n\n`)
}
