import { RouseError } from "@rouse/protocol"
import type { Effect } from "@rouse/protocol"
import type { Node } from "../core/openapi-node.ts"
import { listOf } from "../core/openapi-node.ts"
import { operationsOf } from "../core/openapi-operation.ts"
import type { Operation } from "../core/openapi-operation.ts"
import { toolNames } from "../core/openapi-names.ts"
import { serverUrl } from "../core/openapi-server.ts"
import type { HttpReply } from "../http/exchange.ts"
import { serviceOf } from "../http/service.ts"
import type { HttpService } from "../http/service.ts"
import type { Approval, Tool, ToolContext } from "../tool.ts"
import { SchemeAuth } from "./auth.ts"
import type { SchemeCredentials } from "./auth.ts"
import { loadDocument } from "./document.ts"
import { operationTool } from "./operation-tool.ts"

type Input = Readonly<Record<string, unknown>>

/** How the service is asked what became of a call, by another of its operations. */
export interface OpenapiReconcile {
  /** The `operationId` of what to ask. */
  readonly operation: string
  /** Its input. */
  readonly input: (input: Input, ctx: ToolContext) => Input
  /** What became of the call; undefined when it did not happen. When absent: it did not when the answer is 404, 410 or an empty list. */
  readonly found?: (reply: HttpReply, input: Input) => unknown
}

/** What a filter is told of an operation. */
export type OperationInfo = Pick<Operation, "id" | "method" | "path" | "tags" | "summary">

export interface OpenapiOptions extends Omit<HttpService, "auth"> {
  /** The document: its text (JSON or YAML) or what that says. */
  readonly document?: string | object
  /** Where to fetch the document instead. Of a document from elsewhere, name the server too: it says where credentials go. */
  readonly url?: string
  /** Which operations become tools, by id or by a test. All when absent. */
  readonly operations?: readonly string[] | ((operation: OperationInfo) => boolean)
  /** Credentials by the names of the document's security schemes. */
  readonly auth?: Readonly<Record<string, SchemeCredentials>>
  /** In place of the document's servers. */
  readonly server?: string
  /** Values of the variables in the servers' URLs. */
  readonly variables?: Readonly<Record<string, string>>
  /** Effect classes by operation id, in place of those by method and document. */
  readonly effects?: Readonly<Record<string, Exclude<Effect, "reconcilable">>>
  /** By operation id: what makes an operation `reconcilable`. */
  readonly reconcile?: Readonly<Record<string, OpenapiReconcile>>
  /** By operation id: whether a person must allow a call. */
  readonly approval?: Readonly<Record<string, Approval<Input>>>
  /** In front of every tool's name. */
  readonly prefix?: string
}

export interface OpenapiTools {
  readonly tools: readonly Tool[]
  /** What of the document is left out or taken differently, one sentence each. */
  readonly warnings: readonly string[]
}

/** Models take about so many tools in one call. */
const TOOLS_ADVISED_MAX = 128
const WARNINGS_MAX = 500

/**
 * Makes tools of the operations of an OpenAPI 3 document. What of it is not supported is said in `warnings`; the rest works.
 *
 * Effect classes: `GET` and `HEAD` are `pure`, `PUT` and `DELETE` `idempotent`; others are `once`, or `idempotent` where the document has an
 * `Idempotency-Key` header or `x-idempotency`; those with `reconcile` are `reconcilable`.
 *
 * @throws {RouseError} `INVALID_ARGS` when the document is none, has no server, or an option names an operation that it does not have.
 * @see docs/tools.md
 */
export async function openapiTools(options: OpenapiOptions): Promise<OpenapiTools> {
  const root = await loadDocument(sourceOf(options))
  const warnings = new Set<string>()
  const warn = (warning: string): void => void (warnings.size < WARNINGS_MAX && warnings.add(warning))
  const all = operationsOf(root, warn)
  checkIds(options, all)
  const chosen = all.filter((operation) => isChosen(options, operation))
  for (const id of repeated(chosen)) warn(`several operations have the operationId ${id}; their tools are numbered`)
  const names = toolNames(
    chosen.map((operation) => operation.id),
    options.prefix ?? "",
  )
  const service = serviceOf(options as HttpService, "openapi")
  const documentServer = baseOf(root, options)
  const auth = new SchemeAuth(root, options.auth ?? {}, documentServer, options.private)
  const tools = chosen.map((operation, i) => {
    const reconcile = options.reconcile?.[operation.id]
    const asked = reconcile && all.find((one) => one.id === reconcile.operation)
    const at = (one: Operation): URL => serverOf(one, options, documentServer)
    const say = (warning: string): void => warn(`${operation.method} ${operation.path}: ${warning}`)
    const endpoint = (one: Operation) => ({
      operation: one,
      server: at(one),
      service: { ...service, auths: auth.authFor(one, say) },
    })
    return operationTool({
      ...endpoint(operation),
      name: names[i] ?? operation.id,
      effect: reconcile ? "reconcilable" : (options.effects?.[operation.id] ?? operation.effect),
      approval: options.approval?.[operation.id],
      reconcile: reconcile && asked && { ...reconcile, ...endpoint(asked) },
    })
  })
  if (tools.length === 0) warn("no operation became a tool")
  if (tools.length > TOOLS_ADVISED_MAX) warn(`${tools.length} tools are more than models take: choose with operations`)
  return { tools, warnings: [...warnings] }
}

function sourceOf({ document, url }: OpenapiOptions): { readonly document: unknown } | { readonly url: string } {
  if (document !== undefined && url === undefined) return { document }
  if (url !== undefined && document === undefined) return { url }
  throw new RouseError("INVALID_ARGS", "openapiTools: give document or url", { details: { field: "document" } })
}

function isChosen({ operations }: OpenapiOptions, operation: Operation): boolean {
  if (operations === undefined) return true
  return typeof operations === "function" ? operations(operation) : operations.includes(operation.id)
}

function repeated(operations: readonly Operation[]): ReadonlySet<string> {
  const ids = operations.map((operation) => operation.id)
  return new Set(ids.filter((id, i) => ids.indexOf(id) < i))
}

/** A name that is mistyped would take an effect class, a question or an approval away in silence. */
function checkIds(options: OpenapiOptions, all: readonly Operation[]): void {
  const ids = new Set(all.map((operation) => operation.id))
  const named: readonly (readonly [string, readonly string[]])[] = [
    ["operations", typeof options.operations === "object" ? options.operations : []],
    ["effects", Object.keys(options.effects ?? {})],
    ["reconcile", Object.keys(options.reconcile ?? {})],
    ["reconcile.operation", Object.values(options.reconcile ?? {}).map((one) => one.operation)],
    ["approval", Object.keys(options.approval ?? {})],
  ]
  for (const [field, list] of named) {
    const missing = list.find((id) => !ids.has(id))
    if (missing !== undefined) {
      throw new RouseError(
        "INVALID_ARGS",
        `openapiTools: ${field}: the document has no operation ${JSON.stringify(missing)} that can be called`,
        {
          details: { field },
        },
      )
    }
  }
}

function baseOf(root: Node, { server, variables = {}, url }: OpenapiOptions): URL {
  const first = server === undefined ? (listOf(root["servers"])[0] ?? { url: "/" }) : { url: server }
  const found = serverUrl(first, variables, server === undefined ? url : undefined)
  if (found !== undefined) return found
  throw new RouseError(
    "INVALID_ARGS",
    "openapiTools: server: the document names no server that can be called; give one",
    {
      details: { field: "server" },
    },
  )
}

function serverOf(operation: Operation, { server, variables = {} }: OpenapiOptions, documentServer: URL): URL {
  if (server !== undefined || operation.servers.length === 0) return documentServer
  return serverUrl(operation.servers[0], variables, documentServer.href) ?? documentServer
}
