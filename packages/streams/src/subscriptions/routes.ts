import { RouseError } from "@rouse/protocol"
import type { Op } from "@rouse/store"
import { readBody } from "../body.ts"
import type { StreamAccess } from "../options.ts"
import type { Reply } from "../reply.ts"
import type { StreamRequest } from "../request.ts"
import { KEY_SET_AGE_SECONDS } from "../core/key-schedule.ts"
import { parseReport, parseStreams, parseSubscription, parseWorker } from "../core/subscription-request.ts"
import type { SubscriptionConfig, WakeReport } from "../core/subscription-request.ts"
import type { SubscriptionRoute } from "../core/subscription-route.ts"
import { checkWebhookUrl } from "../core/webhook-url.ts"
import type { SubscriptionContext } from "./context.ts"
import { apply, find, newSubscription, retrying } from "./known.ts"
import type { Known } from "./known.ts"
import { newWakeId } from "./wake-id.ts"
import { describeSubscription, wakeStreams, wireStream } from "./wire.ts"
import type { WireObject } from "./wire.ts"

/** The longest body, in bytes. */
const BODY_BYTES_MAX = 1024 * 1024

/** A request and what it is for. */
export type Asked = Pick<StreamAccess, "request" | "target">

export type Authorize = (access: StreamAccess) => Promise<void>

/**
 * Answers a request about subscriptions.
 *
 * @throws {RouseError} as the protocol's table of subscription errors says.
 */
export async function answerRoute(
  context: SubscriptionContext,
  authorize: Authorize,
  asked: Asked,
  route: SubscriptionRoute,
): Promise<Reply> {
  switch (`${asked.request.method} ${route.kind}`) {
    case "GET keys":
    case "HEAD keys":
      return keys(context)
    case "PUT subscription":
      return put(context, authorize, asked, idOf(route))
    case "GET subscription":
    case "HEAD subscription":
      await authorize(control(asked, idOf(route)))
      return json(200, await describeSubscription(context, await find(context, idOf(route))))
    case "DELETE subscription":
      return remove(context, authorize, asked, idOf(route))
    case "POST streams":
      return name(context, authorize, asked, idOf(route))
    case "DELETE stream":
      return unname(context, authorize, asked, route)
    case "POST claim":
      return claim(context, authorize, asked, idOf(route))
    case "POST callback":
      return report(context, asked, idOf(route), "webhook")
    case "POST ack":
      return report(context, asked, idOf(route), "pull-wake")
    case "POST release":
      return release(context, asked, idOf(route))
    default:
      throw new RouseError("METHOD_NOT_ALLOWED", `${asked.request.method} means nothing here`)
  }
}

function idOf(route: SubscriptionRoute): string {
  return route.kind === "keys" ? "" : route.id
}

async function keys(context: SubscriptionContext): Promise<Reply> {
  const headers = {
    "content-type": "application/jwk-set+json",
    "cache-control": `public, max-age=${KEY_SET_AGE_SECONDS}`,
  }
  return { status: 200, headers, body: JSON.stringify({ keys: await context.keyring.published() }) }
}

async function put(context: SubscriptionContext, authorize: Authorize, asked: Asked, id: string): Promise<Reply> {
  const config = parseSubscription(await readJson(asked.request))
  if (config.webhookUrl !== null) {
    checkWebhookUrl(config.webhookUrl, context.options.allowLoopbackWebhooks === true)
  }
  await authorizeConfig(authorize, asked, id, config)
  const { origin } = asked.target
  return retrying(async () => {
    const record = await context.store.subscription(id)
    if (record === undefined) await make(context, id, config, origin)
    const known = await find(context, id)
    if (JSON.stringify(known.config) !== JSON.stringify(config)) {
      throw new RouseError("ALREADY_EXISTS", `the subscription ${id} exists and differs`, { details: { id } })
    }
    return json(record === undefined ? 201 : 200, await describeSubscription(context, known))
  })
}

async function make(
  context: SubscriptionContext,
  id: string,
  config: SubscriptionConfig,
  origin: string,
): Promise<void> {
  const nowMs = context.clock.now()
  const links = config.streams.map((path): Op => ({ op: "subscription", change: { kind: "link", id, path, nowMs } }))
  await context.store.commit({
    guards: [{ kind: "subscription", id, version: 0 }],
    ops: [newSubscription(id, config, origin, nowMs), ...links],
  })
}

async function authorizeConfig(
  authorize: Authorize,
  asked: Asked,
  id: string,
  { pattern, streams, webhookUrl, wakeStream }: SubscriptionConfig,
): Promise<void> {
  const subscription = { id, pattern, webhookUrl }
  await authorize({ ...control(asked, id), subscription })
  for (const path of streams) await authorize({ ...asked, path, write: false, subscription })
  if (wakeStream !== null) await authorize({ ...asked, path: wakeStream, write: true, subscription })
}

async function remove(context: SubscriptionContext, authorize: Authorize, asked: Asked, id: string): Promise<Reply> {
  await authorize(control(asked, id))
  await context.store.commit({ ops: [{ op: "subscription", change: { kind: "delete", id } }] })
  return { status: 204, headers: {} }
}

async function name(context: SubscriptionContext, authorize: Authorize, asked: Asked, id: string): Promise<Reply> {
  const paths = parseStreams(await readJson(asked.request))
  await authorize(control(asked, id))
  const { record, config } = await find(context, id)
  const subscription = { id, pattern: config.pattern, webhookUrl: config.webhookUrl }
  for (const path of paths) {
    if (path === record.wakeStream) throw new RouseError("BAD_REQUEST", "streams: must not have the wake stream")
    await authorize({ ...asked, path, write: false, subscription })
  }
  const nowMs = context.clock.now()
  await context.store.commit({
    ops: paths.map((path) => ({ op: "subscription", change: { kind: "link", id, path, nowMs } })),
  })
  return { status: 204, headers: {} }
}

async function unname(
  context: SubscriptionContext,
  authorize: Authorize,
  asked: Asked,
  route: SubscriptionRoute,
): Promise<Reply> {
  if (route.kind !== "stream") throw new RouseError("NOT_FOUND", "there is nothing here")
  await authorize(control(asked, route.id))
  const change = { kind: "unlink", id: route.id, path: route.path } as const
  await context.store.commit({ ops: [{ op: "subscription", change }] })
  return { status: 204, headers: {} }
}

async function claim(context: SubscriptionContext, authorize: Authorize, asked: Asked, id: string): Promise<Reply> {
  const worker = parseWorker(await readJson(asked.request))
  await authorize(control(asked, id))
  return retrying(async () => {
    const found = await find(context, id)
    requireType(found, "pull-wake")
    const wakeId = newWakeId(context.options.randomBytes)
    const event = { kind: "claim", worker, pending: found.record.pending > 0, wakeId } as const
    const { known } = await apply(context, found, event)
    const { phase, generation } = known.state
    return json(200, {
      wake_id: "wakeId" in phase ? phase.wakeId : "",
      generation,
      token: await context.tokens.make(known.record.serial, generation),
      streams: (await wakeStreams(context, known)).map(wireStream),
      lease_ttl_ms: known.config.leaseMs,
    })
  })
}

async function report(
  context: SubscriptionContext,
  asked: Asked,
  id: string,
  type: SubscriptionConfig["type"],
): Promise<Reply> {
  const { wakeId, generation, acks, done } = await authentic(context, asked, id, type)
  return retrying(async () => {
    const event = { kind: "ack", generation, wakeId, moved: acks.length > 0, done } as const
    const { result } = await apply(context, await find(context, id), event, (_, nowMs) =>
      acks.map((ack) => ({ op: "subscription", change: { kind: "ack", id, ...ack, nowMs } })),
    )
    return json(200, { ok: true, next_wake: done && result?.subscriptionDueAtMs !== undefined })
  })
}

async function release(context: SubscriptionContext, asked: Asked, id: string): Promise<Reply> {
  const { wakeId, generation } = await authentic(context, asked, id, "pull-wake")
  return retrying(async () => {
    await apply(context, await find(context, id), { kind: "release", generation, wakeId })
    return { status: 204, headers: {} }
  })
}

/** A report whose sender has the token of its wake. */
async function authentic(
  context: SubscriptionContext,
  asked: Asked,
  id: string,
  type: SubscriptionConfig["type"],
): Promise<WakeReport> {
  const known = await find(context, id)
  requireType(known, type)
  const generation = await context.tokens.check(asked.request.headers.get("authorization"), known.record.serial)
  const sent = parseReport(await readJson(asked.request))
  if (sent.generation === generation) return sent
  throw new RouseError("FENCED", "generation: is not the token's", { details: { generation } })
}

function requireType({ record, config }: Known, type: SubscriptionConfig["type"]): void {
  if (config.type === type) return
  throw new RouseError("BAD_REQUEST", `type: the subscription ${record.id} is ${config.type}, and this is for ${type}`)
}

function control(asked: Asked, id: string): StreamAccess {
  const { method } = asked.request
  const write = method !== "GET" && method !== "HEAD"
  const subscription = { id, pattern: null, webhookUrl: null }
  return { ...asked, path: `__ds/subscriptions/${id}`, write, subscription }
}

async function readJson(request: StreamRequest): Promise<unknown> {
  const body = await readBody(request, BODY_BYTES_MAX)
  try {
    return body.length === 0 ? {} : (JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body)) as unknown)
  } catch (cause) {
    throw new RouseError("BAD_JSON", "body: is not valid JSON in UTF-8", { cause })
  }
}

function json(status: number, body: WireObject): Reply {
  return { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) }
}
