import { RouseError } from "@rouse/protocol"
import type { Effect, JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { fillUrl, templateNames, textOf, withQuery } from "../core/http-url.ts"
import type { Parameters } from "../core/http-url.ts"
import type { Secret } from "../secrets/secret.ts"
import { isSecret } from "../secrets/secret.ts"
import { tool } from "../tool.ts"
import type { Approval, Tool, ToolContext } from "../tool.ts"
import { exchange } from "./exchange.ts"
import type { HttpReply, RequestPlan } from "./exchange.ts"
import { NOT_FOUND, RECONCILE_LIMITS, happened } from "./reconcile.ts"
import { serviceOf, wrong } from "./service.ts"
import type { HttpService } from "./service.ts"

export type HttpMethod = "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"

/** How one request is made of a tool's input. */
export interface HttpRequest<Input> {
  /** `https://pay.example/orders/{order}`: parameters are from the input, or `{idempotencyKey}`. They are segments of the path. */
  readonly url: string
  /** Fields of the input that go into the query, or what goes there. For methods without a body: all fields left when absent. */
  readonly query?: readonly string[] | ((input: Input, ctx: ToolContext) => Parameters)
  /** Values are texts, secrets, or made of the input. */
  readonly headers?: Readonly<
    Record<string, string | Secret | ((input: Input, ctx: ToolContext) => string | undefined)>
  >
  /** What is sent as JSON; a text is sent as it is. For methods with a body: all fields left when absent. */
  readonly body?: (input: Input, ctx: ToolContext) => unknown
}

/** How a service is asked what became of a call (P2). */
export interface HttpReconcile<Input> extends HttpRequest<Input> {
  /** `GET` when absent. */
  readonly method?: HttpMethod
  /**
   * What became of the call: its output, or undefined when it did not happen. When absent: 404 and 410 mean that it did not, and so does an
   * empty list; any other success is the output.
   */
  readonly found?: (reply: HttpReply, input: Input) => unknown
}

export interface HttpToolOptions<S extends StandardSchemaV1>
  extends HttpService, HttpRequest<StandardSchemaV1.InferOutput<S>> {
  readonly name: string
  readonly description: string
  readonly input: S
  readonly inputSchema?: JsonObject
  readonly effect: Effect
  readonly approval?: Approval<StandardSchemaV1.InferOutput<S>>
  readonly parallel?: boolean
  /** `POST` when absent. */
  readonly method?: HttpMethod
  /** What the model is told of an answer: its body when absent. */
  readonly output?: (reply: HttpReply, input: StandardSchemaV1.InferOutput<S>) => unknown
  /** Required with effect `reconcilable`. */
  readonly reconcile?: HttpReconcile<StandardSchemaV1.InferOutput<S>>
}

const METHODS: ReadonlySet<string> = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
const WITHOUT_BODY: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE"])
/**
 * Defines a tool that is a request to a service: it carries the call's `Idempotency-Key` and is sent again, asked about, or called unknown by
 * its effect class. Secrets are resolved for each request, and redirects to other origins are not followed.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is missing or wrong.
 * @see docs/tools.md
 */
export function httpTool<S extends StandardSchemaV1>(options: HttpToolOptions<S>): Tool {
  type Input = StandardSchemaV1.InferOutput<S>
  const { name, effect, reconcile, method = "POST" } = options
  const service = serviceOf(options, name)
  checkRequest(name, "", options, method)
  if (reconcile !== undefined) checkRequest(name, "reconcile.", reconcile, reconcile.method ?? "GET")
  const reconciled = async (input: Input, ctx: ToolContext): Promise<unknown> => {
    if (reconcile === undefined) return undefined
    const plan = planOf(reconcile, reconcile.method ?? "GET", input, ctx, service.keyHeader)
    const reply = await exchange({ plan, service, effect: "pure", ctx, limits: RECONCILE_LIMITS, accepts: NOT_FOUND })
    if (reconcile.found !== undefined) return reconcile.found(reply, input)
    return happened(reply) ? outputOf(options, reply, input) : undefined
  }
  return tool<S, unknown>({
    name,
    description: options.description,
    input: options.input,
    effect,
    backend: "http",
    ...(options.inputSchema === undefined ? {} : { inputSchema: options.inputSchema }),
    ...(options.approval === undefined ? {} : { approval: options.approval }),
    ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
    ...(effect === "reconcilable"
      ? { retry: { attempts: service.limits.attempts, delayMs: service.limits.delayMs } }
      : {}),
    execute: async (input, ctx) => {
      const plan = planOf(options, method, input, ctx, effect === "pure" ? undefined : service.keyHeader)
      return outputOf(options, await exchange({ plan, service, effect, ctx }), input)
    },
    ...(reconcile === undefined ? {} : { reconcile: reconciled }),
  })
}

function outputOf<S extends StandardSchemaV1>(
  { output }: HttpToolOptions<S>,
  reply: HttpReply,
  input: StandardSchemaV1.InferOutput<S>,
): unknown {
  return output === undefined ? reply.body : (output(reply, input) ?? null)
}

function planOf<Input>(
  request: HttpRequest<Input>,
  method: HttpMethod,
  input: Input,
  ctx: ToolContext,
  keyHeader: string | undefined,
): RequestPlan {
  const fields = fieldsOf(input)
  const inPath = new Set(templateNames(request.url))
  const left = Object.fromEntries(Object.entries(fields).filter(([name]) => !inPath.has(name)))
  const url = withQuery(
    new URL(fillUrl(request.url, { idempotencyKey: ctx.idempotencyKey, ...fields })),
    queryOf(request, method, input, left, ctx),
  )
  const body = bodyFor(request, method, input, left, ctx)
  const headers: Record<string, string | Secret> = { accept: "application/json, text/*;q=0.9, */*;q=0.5" }
  if (body !== undefined) headers["content-type"] = typeof body === "string" ? "text/plain" : "application/json"
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    const made = typeof value === "function" ? value(input, ctx) : value
    if (made !== undefined) headers[name.toLowerCase()] = isSecret(made) ? made : headerText(name, made)
  }
  if (keyHeader !== undefined) headers[keyHeader] = ctx.idempotencyKey
  const text = body === undefined || typeof body === "string" ? body : (JSON.stringify(body) ?? "null")
  return { method, url, headers, ...(text === undefined ? {} : { body: new TextEncoder().encode(text) }) }
}

function queryOf<Input>(
  { query }: HttpRequest<Input>,
  method: HttpMethod,
  input: Input,
  left: Parameters,
  ctx: ToolContext,
): Parameters {
  if (typeof query === "function") return query(input, ctx)
  if (query !== undefined) return Object.fromEntries(query.map((name) => [name, left[name]]))
  return WITHOUT_BODY.has(method) ? left : {}
}

function bodyFor<Input>(
  { body, query }: HttpRequest<Input>,
  method: HttpMethod,
  input: Input,
  left: Parameters,
  ctx: ToolContext,
): unknown {
  if (body !== undefined) return body(input, ctx)
  if (WITHOUT_BODY.has(method)) return undefined
  const inQuery = new Set(Array.isArray(query) ? (query as readonly string[]) : [])
  return Object.fromEntries(Object.entries(left).filter(([name]) => !inQuery.has(name)))
}

function fieldsOf(input: unknown): Parameters {
  return typeof input === "object" && input !== null ? (input as Parameters) : {}
}

/** What a model wrote must not end a header's line. */
function headerText(name: string, value: unknown): string {
  const text = textOf(value)
  if (/^[\t\x20-\x7e]*$/.test(text)) return text
  throw new RouseError("INVALID_ARGS", `the header ${name} must be printable ASCII`, { details: { field: name } })
}

function checkRequest<Input>(name: string, at: string, request: HttpRequest<Input>, method: string): void {
  if (!METHODS.has(method)) throw wrong(name, `${at}method`, `must be one of ${[...METHODS].join(", ")}`)
  const { url } = request
  const origin = typeof url === "string" ? /^https?:\/\/[^/?#{}]+/.exec(url)?.[0] : undefined
  if (origin === undefined || !URL.canParse(origin)) {
    throw wrong(name, `${at}url`, "must be an http or https URL whose host holds no parameters")
  }
  if (/\{/.test(url.split(/[?#]/).slice(1).join("")))
    throw wrong(name, `${at}url`, "has parameters only in its path: use query")
}
