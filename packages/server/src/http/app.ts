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
import { mount } from "./mount.ts"
import { getDocument } from "./openapi-route.ts"
import { importEntities } from "./operations/entities.ts"
import { listAllSchedules, listApprovals, listDeadLetters, listKeys } from "./operations/operators.ts"
import { getHealth, getInfo, getOpenapi, getReadiness } from "./operations/server.ts"
import { claimToolCalls } from "./operations/tool-workers.ts"
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
  const app = createRoutes(options)
  return async (request) => app.fetch(request)
}

/** Its routes. */
export function createRoutes(options: AppOptions): Hono<Env> {
  const { plane, stop, gate } = options
  const app = new Hono<Env>()
  app.onError((error) => problemResponse(error, plane.log))
  mount(app, getHealth, (c) => c.json({ status: "ok" }))
  mount(app, getReadiness, async (c) => {
    if (stop.aborted) throw new RouseError("SHUTTING_DOWN", "the server is shutting down")
    if (!options.isReady()) throw new RouseError("OVERLOADED", "the server is starting")
    await plane.store.check()
    return c.json({ status: "ready" })
  })
  app.route("/", claimRoutes(plane, stop))
  app.use("/a2a/*", async (c, next) => {
    c.set("principal", admit(c.req.raw, scopeOf(c.req.method, c.req.path), gate))
    await next()
  })
  app.route("/", a2aRoutes(plane, { ...options, isOpen: gate.tokens.length === 0 }))
  app.route("/", openaiRoutes(plane, stop, gate))
  app.use("/v1/*", async (c, next) => {
    const { raw } = c.req
    if (!isOpen(raw.method, new URL(raw.url).pathname, gate))
      c.set("principal", admit(raw, scopeOf(raw.method, c.req.path), gate))
    await next()
  })
  app.route("/", messageRoutes(plane, stop))
  app.route("/", entityRoutes(plane, stop))
  app.route("/", attachmentRoutes(plane))
  app.route("/", forkRoutes(plane))
  app.route("/", exportRoutes(plane))
  mount(app, importEntities, (c) => postImport(plane, c))
  app.route("/", sharedRoutes(plane))
  app.route("/", logRoutes(plane))
  app.route("/", usageRoutes(plane))
  mount(app, listAllSchedules, (c) => getSchedules(plane, c))
  mount(app, listKeys, (c) => c.json({ keys: gate.tokens.map(({ name, scope }) => ({ name, scope })) }))
  app.route("/", operatorRoutes(plane))
  mount(app, listApprovals, (c) => getApprovals(plane, c))
  mount(app, claimToolCalls, (c) => postToolClaims(plane, c, stop))
  app.route("/", workRoutes(plane))
  app.route("/", observeRoutes(plane))
  app.route("/", webhookRoutes(plane, options.webhooks))
  app.route("/", webhookSourceRoutes(plane, options.webhooks))
  app.route("/", eventRoutes(plane, options.events))
  mount(app, listDeadLetters, (c) => getDeadLetters(plane, c))
  app.route("/", dispatchRoutes(plane, stop))
  mount(app, getInfo, (c) => c.json(infoOf(options)))
  mount(app, getOpenapi, (c) => getDocument(c, options.version))
  app.all("/v1/stream/*", (c) => options.streams.fetch(c.req.raw))
  const page = options.page === undefined ? undefined : pageHandler(options.page)
  app.notFound(async (c) => {
    const found = /^\/((openai\/)?v1|a2a)\//.test(c.req.path) ? undefined : await page?.(c.req.raw)
    return (
      found ??
      problemResponse(new RouseError("NOT_FOUND", `there is nothing at ${c.req.method} ${c.req.path}`), plane.log)
    )
  })
  return app
}

function infoOf(options: AppOptions): ServerInfo {
  const { version, plane, gate } = options
  return { name: "rouse", version, types: listTypes(plane), authenticated: gate.tokens.length > 0 }
}
