import { type Principal, RouseError } from "@rouse/protocol"
import { allows, findToken, type Scope, type Token } from "./tokens.ts"

/** Who may come in. Without tokens only this machine may, and no web page but the server's own. */
export interface GateOptions {
  readonly tokens: readonly Token[]
  /** Whether pages of other sites may use the streams: then a browser's preflight, which has no token, is answered. Default: no. */
  readonly preflights?: boolean
}

/** What the gate looks at. A `Request` is one. */
export interface GateRequest {
  readonly method: string
  /** Of which only the protocol and the host count. */
  readonly url: string
  readonly headers: { get(name: string): string | null }
}

const LOCAL: Principal = { kind: "user", id: "local" }
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i

/**
 * The one gate: every request to the API and to raw streams passes it, and gets a principal or an error.
 *
 * Without tokens it trusts the machine, not the browser: a page of another site, or a name that was rebound to
 * the loopback address, is refused, since a browser would carry its requests here.
 *
 * @throws {RouseError} `UNAUTHENTICATED` or `FORBIDDEN`.
 */
export function admit(request: GateRequest, needs: Scope, options: GateOptions): Principal {
  if (options.tokens.length === 0) return admitLocal(request)
  const bearer = /^Bearer ([^\s]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]
  if (bearer === undefined) throw new RouseError("UNAUTHENTICATED", "Authorization: a bearer token is required")
  const token = findToken(options.tokens, bearer)
  if (!token) throw new RouseError("UNAUTHENTICATED", "Authorization: the token is not known")
  if (!allows(token.scope, needs)) {
    throw new RouseError("FORBIDDEN", `the token "${token.name}" has scope ${token.scope}; this needs ${needs}`)
  }
  return { kind: "user", id: token.name }
}

const OPENINGS = /^\/v1\/webhook-sources(\/|$)/
const TOLD = /^\/v1\/event-subscriptions(\/|$)/
const WORK = /^\/v1\/tool-(claims$|calls\/)/

/**
 * The scope that a request needs: reading reads, purging and registering handlers administer, workers work, everything else writes.
 *
 * @param pathname As the router reads it, with its percent-encoding undone: another spelling of a path is the same route, and needs no less.
 */
export function scopeOf(method: string, pathname: string): Scope {
  if (method === "POST" && WORK.test(pathname)) return "work"
  // Who else may come in is for those who may do anything.
  if (pathname === "/v1/keys") return "admin"
  // An address may hold a secret.
  if (TOLD.test(pathname)) return "admin"
  if (method === "GET" || method === "HEAD") return "read"
  // Where wakes go, and with them all that agents know, is for those who may do anything.
  if (pathname.startsWith("/v1/types")) return "admin"
  // Who may rouse agents without a token is for those who may do anything.
  if (OPENINGS.test(pathname)) return "admin"
  return method === "DELETE" || pathname === "/v1/import" ? "admin" : "write"
}

const OPEN_REPORT = /^\/v1\/stream\/__ds\/subscriptions\/(?!(?:\.|%2[Ee]){1,2}\/)[^/]+\/(callback|ack|release)$/
const OPEN_WEBHOOK = /^\/v1\/webhooks\/[^/]+$/
const STREAMS = "/v1/stream/"
const OPEN_KEYS = "/v1/stream/__ds/jwks.json"

/**
 * Whether a request needs no principal. A report on a wake carries that wake's own token, which the streams check; a webhook carries its
 * sender's signature; the keys that webhooks are signed with are public; and a preflight is told nothing of a stream.
 *
 * @param pathname Of the URL, still percent-encoded.
 */
export function isOpen(method: string, pathname: string, { preflights = false }: GateOptions): boolean {
  if (method === "OPTIONS") return preflights && pathname.startsWith(STREAMS)
  if (method === "POST") return OPEN_REPORT.test(pathname) || OPEN_WEBHOOK.test(pathname)
  return (method === "GET" || method === "HEAD") && pathname === OPEN_KEYS
}

function admitLocal(request: GateRequest): Principal {
  const host = request.headers.get("host") ?? new URL(request.url).host
  if (!LOOPBACK.test(host)) {
    throw new RouseError(
      "FORBIDDEN",
      `Host: "${host}" is not this machine; a server without tokens answers only to localhost`,
    )
  }
  const origin = request.headers.get("origin")
  if (origin !== null && origin !== `${new URL(request.url).protocol}//${host}`) {
    throw new RouseError("FORBIDDEN", "Origin: a server without tokens answers no other site's pages")
  }
  const site = request.headers.get("sec-fetch-site")
  if (site === "cross-site")
    throw new RouseError("FORBIDDEN", "Sec-Fetch-Site: a server without tokens answers no other site's pages")
  return LOCAL
}
