import { RouseError, type ServerInfo } from "@rouse/protocol"
import type { Streams } from "@rouse/streams"
import { Hono } from "hono"
import { listTypes } from "../dispatch/type-list.ts"
import type { EventSubscriptions } from "../events/event-subscriptions.ts"
import type { Plane } from "../plane.ts"
import { a2aRoutes } from "./a2a-routes.ts"
import { claimRoutes, dispatchRoutes } from "./dispatch-routes.ts"
import { attachmentRoutes } from "./attachment-routes.ts"
import { entityRoutes, type Env } from "./entity-routes.ts"
import { exportRoutes, postImport } from "./bundle-routes.ts"
import { forkRoutes } from "./fork-routes.ts"
import { eventRoutes } from "./event-routes.ts"
import { admit, type GateOptions, isOpen, scopeOf } from "./gate.ts"
import { logRoutes } from "./log-routes.ts"
import { messageRoutes } from "./message-routes.ts"
import { observeRoutes } from "./observe-routes.ts"
import { getDeadLetters, getSchedules, operatorRoutes } from "./operator-routes.ts"
import { openaiRoutes } from "./openai-routes.ts"
import { pageHandler } from "./page.ts"
import { sharedRoutes } from "./shared-routes.ts"
import { usageRoutes } from "./usage-routes.ts"
import { problemResponse } from "./problem.ts"
import { getApprovals } from "./approval-routes.ts"
import { type WebhookDesk, webhookRoutes, webhookSourceRoutes } from "./webhook-routes.ts"
import { postToolClaims, workRoutes } from "./work-routes.ts"

export interface AppOptions {
  readonly plane: Plane
  readonly streams: Streams
  readonly gate: GateOptions
  readonly webhooks: WebhookDesk
  readonly events: EventSubscriptions
  readonly version: string
  /** Where the server is reached from outside. */
  readonly publicUrl: string | undefined
  /** Absolute path of the built page; none is served without. */
  readonly page: string | undefined
  /** Aborts when the server shuts down: live answers end. */
  readonly stop: AbortSignal
  readonly isReady: () => boolean
}

/** The whole HTTP face: `(Request) => Promise<Response>`, knowing no socket. */
export function createApp(options: AppOptions): (request: Request) => Promise<Response> {
  const { plane, stop, gate } = options
  const app = new Hono<Env>()
  app.onError((error) => problemResponse(error, plane.log))
  app.get("/healthz", (c) => c.json({ status: "ok" }))
  app.get("/readyz", async (c) => {
    if (stop.aborted) throw new RouseError("SHUTTING_DOWN", "the server is shutting down")
    if (!options.isReady()) throw new RouseError("OVERLOADED", "the server is starting")
    await plane.store.check()
    return c.json({ status: "ready" })
  })
  app.route("/", claimRoutes(plane, stop))
  for (const path of ["/openai/*", "/a2a/*"])
    app.use(path, async (c, next) => {
      c.set("principal", admit(c.req.raw, scopeOf(c.req.method, c.req.path), gate))
      await next()
    })
  app.route("/a2a", a2aRoutes(plane, { ...options, isOpen: gate.tokens.length === 0 }))
  app.route("/openai/v1", openaiRoutes(plane, stop))
  app.use("/v1/*", async (c, next) => {
    const { raw } = c.req
    if (!isOpen(raw.method, new URL(raw.url).pathname, gate))
      c.set("principal", admit(raw, scopeOf(raw.method, c.req.path), gate))
    await next()
  })
  app.route("/v1/entities", messageRoutes(plane, stop))
  app.route("/v1/entities", entityRoutes(plane, stop))
  app.route("/v1/entities", attachmentRoutes(plane))
  app.route("/v1/entities", forkRoutes(plane))
  app.route("/v1/entities", exportRoutes(plane))
  app.post("/v1/import", (c) => postImport(plane, c))
  app.route("/v1/shared", sharedRoutes(plane))
  app.route("/v1/entities", logRoutes(plane))
  app.route("/v1/usage", usageRoutes(plane))
  app.get("/v1/schedules", (c) => getSchedules(plane, c))
  app.get("/v1/keys", (c) => c.json({ keys: gate.tokens.map(({ name, scope }) => ({ name, scope })) }))
  app.route("/v1/entities", operatorRoutes(plane))
  app.get("/v1/approvals", (c) => getApprovals(plane, c))
  app.post("/v1/tool-claims", (c) => postToolClaims(plane, c, stop))
  app.route("/v1/tool-calls", workRoutes(plane))
  app.route("/v1/entities", observeRoutes(plane))
  app.route("/v1/webhooks", webhookRoutes(plane, options.webhooks))
  app.route("/v1/webhook-sources", webhookSourceRoutes(plane, options.webhooks))
  app.route("/v1/event-subscriptions", eventRoutes(plane, options.events))
  app.get("/v1/dead-letters", (c) => getDeadLetters(plane, c))
  app.route("/v1", dispatchRoutes(plane, stop))
  app.get("/v1/info", (c) => c.json(infoOf(options)))
  app.all("/v1/stream/*", (c) => options.streams.fetch(c.req.raw))
  const page = options.page === undefined ? undefined : pageHandler(options.page)
  app.notFound(async (c) => {
    const found = /^\/((openai\/)?v1|a2a)\//.test(c.req.path) ? undefined : await page?.(c.req.raw)
    return (
      found ??
      problemResponse(new RouseError("NOT_FOUND", `there is nothing at ${c.req.method} ${c.req.path}`), plane.log)
    )
  })
  return async (request) => app.fetch(request)
}

function infoOf(options: AppOptions): ServerInfo {
  const { version, plane, gate } = options
  return { name: "rouse", version, types: listTypes(plane), authenticated: gate.tokens.length > 0 }
}
