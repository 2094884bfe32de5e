import { RouseError } from "@rouse/protocol"
import type { Context } from "./context.ts"
import { corsHeaders, METHODS, preflightHeaders } from "./core/cors.ts"
import { parseControlPath, parseStreamPath } from "./core/path.ts"
import { parseRead } from "./core/read-request.ts"
import { SECURITY_HEADERS } from "./core/security-headers.ts"
import { FrameCache } from "./live/frame-cache.ts"
import { Readers } from "./live/readers.ts"
import { Touches } from "./live/touches.ts"
import { limitsOf } from "./options.ts"
import type { StreamsOptions } from "./options.ts"
import { catchUp } from "./read/catch-up.ts"
import { describe } from "./read/describe.ts"
import { longPoll } from "./read/long-poll.ts"
import { sse } from "./read/sse.ts"
import { openSubscriptions } from "./subscriptions/subscriptions.ts"
import type { Subscriptions } from "./subscriptions/subscriptions.ts"
import type { Reply } from "./reply.ts"
import { Snapshots } from "./snapshot/snapshots.ts"
import { problemReply } from "./reply.ts"
import type { StreamRequest, Target } from "./request.ts"
import { responseOf } from "./response.ts"
import { append } from "./write/append.ts"
import { create } from "./write/create.ts"
import { remove } from "./write/remove.ts"

const BASE_PATH = "/v1/stream"
const READ_METHODS = "GET, HEAD, OPTIONS"

/** The Durable Streams Protocol over a store. */
export interface Streams {
  /** What the URLs of its streams begin with, without a slash at the end. */
  readonly basePath: string
  /** Answers any request under the base path. Never rejects: every failure is a problem document. */
  fetch(request: Request): Promise<Response>
  /**
   * The same without a `Request` and a `Response`, which cost more than an append does: for hosts that have neither, as `toNodeHandler` is
   * one. Never rejects.
   */
  answer(request: StreamRequest, target: Target): Promise<Reply>
  /**
   * Ends every live read in good order; its reader comes back elsewhere with its offset. New ones get 503. Resolves when nothing is at
   * work for subscriptions any more; what was to be delivered is delivered by whoever serves the store next.
   */
  close(): Promise<void>
}

/**
 * Serves a store's streams by the Durable Streams Protocol.
 *
 * Nothing is kept here that another process would miss: any number of them may serve one store.
 *
 * @see Durable Streams Protocol
 */
export function createStreams(options: StreamsOptions): Streams {
  const context = contextOf(options)
  const subscriptions = options.subscriptions && openSubscriptions(context, options, options.subscriptions)
  return {
    basePath: context.basePath,
    fetch: async (request) => {
      const reply = await answer(context, options, subscriptions, request, new URL(request.url))
      try {
        return responseOf(reply)
      } catch (error) {
        return responseOf(refusal(context, options, request, error))
      }
    },
    answer: (request, target) => answer(context, options, subscriptions, request, target),
    async close() {
      context.readers.close()
      await subscriptions?.close()
    },
  }
}

function contextOf(options: StreamsOptions): Context {
  const { store, clock, random, guard, basePath = BASE_PATH, onError = () => undefined } = options
  const limits = limitsOf(options)
  return {
    store,
    clock,
    random,
    limits,
    readers: new Readers(store, clock, limits),
    frames: new FrameCache(),
    touches: new Touches(store, clock, onError),
    snapshots: new Snapshots({ store, clock, source: options.snapshotSource, onError }),
    basePath,
    guard,
    onError,
  }
}

async function answer(
  context: Context,
  options: StreamsOptions,
  subscriptions: Subscriptions | undefined,
  request: StreamRequest,
  target: Target,
): Promise<Reply> {
  try {
    const control = subscriptions && parseControlPath(target.pathname, context.basePath)
    const reply =
      subscriptions && control && request.method !== "OPTIONS"
        ? await subscriptions.answer({ request, target }, control)
        : control
          ? preflight(options, request)
          : await route(context, options, request, target)
    return finish(reply, request, options)
  } catch (error) {
    return refusal(context, options, request, error)
  }
}

function refusal(context: Context, options: StreamsOptions, request: StreamRequest, error: unknown): Reply {
  const reply = problemReply(error)
  if (reply.status >= 500) context.onError(error)
  return finish(reply, request, options)
}

async function route(
  context: Context,
  options: StreamsOptions,
  request: StreamRequest,
  target: Target,
): Promise<Reply> {
  const path = parseStreamPath(target.pathname, context.basePath)
  if (request.method === "OPTIONS") return preflight(options, request)
  const write = request.method !== "GET" && request.method !== "HEAD"
  await options.guard?.({ request, target, path, write })
  if (write && options.readOnly?.(path) === true) return refuseWrite(path)
  return dispatch(context, request, target, path)
}

function dispatch(context: Context, request: StreamRequest, url: Target, path: string): Promise<Reply> {
  switch (request.method) {
    case "GET":
      return read(context, request, url, path)
    case "HEAD":
      return describe(context, path)
    case "PUT":
      return create(context, request, url, path)
    case "POST":
      return append(context, request, path)
    case "DELETE":
      return remove(context, path)
    default:
      return Promise.resolve(methodNotAllowed(`${request.method} means nothing to a stream`, METHODS))
  }
}

function read(context: Context, request: StreamRequest, url: Target, path: string): Promise<Reply> {
  const wanted = parseRead(url.searchParams)
  if (wanted.live === "sse") return sse(context, path, wanted)
  if (wanted.live === "long-poll") return longPoll(context, request, path, wanted)
  return catchUp(context, request, path, wanted)
}

function preflight(options: StreamsOptions, request: StreamRequest): Reply {
  return { status: 204, headers: { allow: METHODS, ...preflightHeaders(options.cors, request.headers.get("origin")) } }
}

function refuseWrite(path: string): Reply {
  return methodNotAllowed(
    `the stream ${path} is written by the server alone; to tell an entity something, POST to its messages at /v1/entities/{type}/{id}/messages`,
    READ_METHODS,
  )
}

function methodNotAllowed(detail: string, allow: string): Reply {
  return problemReply(new RouseError("METHOD_NOT_ALLOWED", detail), { allow })
}

/** Adds what every response has. A reply that says nothing about caches is not to be kept. */
function finish(reply: Reply, request: StreamRequest, options: StreamsOptions): Reply {
  const headers = {
    "cache-control": "no-store",
    "cross-origin-resource-policy": options.cors === undefined ? "same-origin" : "cross-origin",
    ...SECURITY_HEADERS,
    ...reply.headers,
    ...(options.cors === undefined ? {} : corsHeaders(options.cors, request.headers.get("origin"))),
  }
  if (request.method === "HEAD") return { status: reply.status, headers }
  return { ...reply, headers }
}
