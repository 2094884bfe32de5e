import { RouseError } from "@rouse/protocol"
import type { Effect, Json } from "@rouse/protocol"
import { reasonOf, sleep } from "../abort.ts"
import { withQuery } from "../core/http-url.ts"
import { verdictOf } from "../core/http-verdict.ts"
import type { Tried, TryLimits } from "../core/http-verdict.ts"
import { retryAfter } from "../core/provider-error.ts"
import type { Secret } from "../secrets/secret.ts"
import type { ToolContext } from "../tool.ts"
import { credentialsOf } from "./auth.ts"
import { reachable, runtimeFetch } from "./outbound.ts"
import { readBody } from "./read-body.ts"
import { bodyOf } from "./reply.ts"
import type { Service } from "./service.ts"
import { signed } from "./sign.ts"
import { codeOf, isUnsent } from "./unsent.ts"

/** Redirects within the origin that one request follows. */
const REDIRECTS_MAX = 5
/** What an error shows of an answer. */
const EXCERPT_CHARS = 1_000

/** A request before its credentials. Names of headers are in lower case. */
export interface RequestPlan {
  readonly method: string
  readonly url: URL
  readonly headers: Readonly<Record<string, string | Secret>>
  readonly body?: Uint8Array<ArrayBuffer>
}

/** What a service answered. */
export interface HttpReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON as what it says, text as it is, nothing as null, and anything else as its type and length. */
  readonly body: Json
}

/**
 * Sends a request until it is answered or may not be sent again (see `verdictOf`).
 *
 * @param accepts Statuses that are no error beside those of success.
 * @throws {RouseError} `BACKEND_REFUSED`, `BACKEND_FAILED`, `OUTCOME_UNKNOWN`, `ADDRESS_REFUSED`, `SECRET_MISSING`; the reason of `ctx.signal`.
 */
export async function exchange(options: {
  readonly plan: RequestPlan
  readonly service: Service
  readonly effect: Effect
  readonly ctx: ToolContext
  readonly limits?: TryLimits
  readonly accepts?: ReadonlySet<number>
}): Promise<HttpReply> {
  const { plan, service, effect, ctx } = options
  const { host, signal } = ctx
  let renewed = false
  for (let attempt = 1; ; attempt += 1) {
    const { tried, reply } = await tryOnce(plan, service, ctx, renewed)
    if (reply !== undefined && options.accepts?.has(reply.status)) return reply
    if (reply?.status === 401 && !renewed && service.auths.some((auth) => "oauth2" in auth)) {
      renewed = true
      continue
    }
    const verdict = verdictOf(effect, tried, attempt, options.limits ?? service.limits, host.random())
    if (verdict.kind === "use" && reply !== undefined) return reply
    if (verdict.kind === "fail") throw new RouseError(verdict.code, ctx.redact(verdict.words))
    const waitMs = verdict.kind === "again" ? verdict.waitMs : 0
    ctx.log.warn("a request of a tool is sent again", { reason: tried.kind, attempt, waitMs })
    await (host.sleep ?? sleep)(waitMs, signal)
  }
}

interface Attempt {
  readonly tried: Tried
  readonly reply?: HttpReply
}

async function tryOnce(plan: RequestPlan, service: Service, ctx: ToolContext, fresh: boolean): Promise<Attempt> {
  const isPrivateAllowed = service.isPrivate ?? ctx.host.isPrivateAllowed ?? false
  reachable(plan.url, isPrivateAllowed)
  // What fails up to here sent nothing, and is thrown as it is.
  const authorized = await withCredentials(plan, service, ctx, fresh)
  const timeout = new AbortController()
  const timer = setTimeout(() => timeout.abort(), service.timeoutMs)
  const signal = AbortSignal.any([ctx.signal, timeout.signal])
  try {
    return await follow(authorized, service, ctx, { signal, isPrivateAllowed })
  } catch (error) {
    if (ctx.signal.aborted) throw reasonOf(ctx.signal)
    if (RouseError.is(error)) throw error
    if (timeout.signal.aborted)
      return { tried: { kind: "cut", words: `${nameOf(plan)} took longer than ${service.timeoutMs} ms` } }
    const code = codeOf(error)
    const why = code === undefined ? "" : ` (${code})`
    if (isUnsent(error)) return { tried: { kind: "unsent", words: `${nameOf(plan)} could not be reached${why}` } }
    return { tried: { kind: "cut", words: `${nameOf(plan)} was cut off before it was answered${why}` } }
  } finally {
    clearTimeout(timer)
  }
}

interface Authorized extends RequestPlan {
  readonly headers: Readonly<Record<string, string>>
}

async function withCredentials(
  plan: RequestPlan,
  service: Service,
  ctx: ToolContext,
  fresh: boolean,
): Promise<Authorized> {
  const { headers, query } = await credentialsOf(service.auths, ctx, fresh)
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(plan.headers)) {
    own[name] = typeof value === "string" ? value : await ctx.secret(value)
  }
  return { ...plan, url: withQuery(plan.url, query), headers: { ...own, ...headers } }
}

/** One request and the redirects within its origin. */
async function follow(
  plan: Authorized,
  service: Service,
  ctx: ToolContext,
  how: { readonly signal: AbortSignal; readonly isPrivateAllowed: boolean },
): Promise<Attempt> {
  let at = plan
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(at, service, ctx, how)
    const next = redirectOf(at, response)
    if (next === undefined) return await read(at, response, service, ctx)
    await response.body?.cancel()
    if (next.url.origin !== plan.url.origin) return refused(at, `redirects to another origin, ${next.url.origin}`)
    if (redirects >= REDIRECTS_MAX) return refused(at, `redirects more than ${REDIRECTS_MAX} times`)
    at = next
  }
}

async function send(
  plan: Authorized,
  service: Service,
  ctx: ToolContext,
  how: { readonly signal: AbortSignal; readonly isPrivateAllowed: boolean },
): Promise<Response> {
  const signature =
    service.sign === undefined
      ? {}
      : await signed(service.sign, { ...plan, keyHeader: service.keyHeader ?? "idempotency-key" }, ctx)
  const outbound = ctx.host.fetch ?? runtimeFetch
  return await outbound({ ...plan, headers: { ...plan.headers, ...signature }, ...how })
}

function redirectOf(plan: Authorized, response: Response): Authorized | undefined {
  const location = response.headers.get("location")
  if (response.status < 301 || response.status > 308 || location === null || !URL.canParse(location, plan.url.href))
    return undefined
  const url = new URL(location, plan.url)
  const isSeeOther = response.status === 303 || (response.status < 303 && plan.method === "POST")
  if (!isSeeOther || plan.method === "GET" || plan.method === "HEAD") return { ...plan, url }
  const { "content-type": _, ...headers } = plan.headers
  return { method: "GET", url, headers }
}

function refused(plan: RequestPlan, words: string): Attempt {
  return { tried: { kind: "answered", status: 421, words: `${nameOf(plan)} ${words}, and that is not followed` } }
}

async function read(plan: RequestPlan, response: Response, service: Service, ctx: ToolContext): Promise<Attempt> {
  const { status } = response
  const bytes = await readBody(response, service.responseBytesMax)
  const isGood = status >= 200 && status < 300
  const name = `${nameOf(plan)} answered ${status}`
  if (bytes === undefined) {
    const words = `${name} with more than ${service.responseBytesMax} bytes, which is not read`
    return { tried: isGood ? { kind: "unreadable", words } : { kind: "answered", status, words } }
  }
  const headers = Object.fromEntries(response.headers)
  const { body, problem } = bodyOf(bytes, headers["content-type"])
  const excerpt = ctx.redact(typeof body === "string" ? body : JSON.stringify(body)).slice(0, EXCERPT_CHARS)
  if (isGood && problem !== undefined) {
    return { tried: { kind: "unreadable", words: `${name} with ${problem}: ${excerpt}` } }
  }
  const retryAfterMs = retryAfter(headers, ctx.host.clock())
  const words = body === null ? name : `${name}: ${excerpt}`
  const tried: Tried = { kind: "answered", status, words, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { tried, reply: { status, headers, body } }
}

/** The request, as an error may name it: without its query, which may hold a key. */
function nameOf({ method, url }: RequestPlan): string {
  return `${method} ${url.origin}${url.pathname}`
}
