import { RouseError } from "@rouse/protocol"
import type { Effect, Json, JsonObject } from "@rouse/protocol"
import type { Tool as ServerTool } from "@modelcontextprotocol/client"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { mcpToolName } from "../core/mcp-names.ts"
import { mcpEffect } from "../core/mcp-policy.ts"
import { mcpBytes, mcpOutput, mcpText } from "../core/mcp-results.ts"
import type { McpResult } from "../core/mcp-results.ts"
import type { Attachments } from "../attachments.ts"
import { tool } from "../tool.ts"
import type { Tool } from "../tool.ts"
import type { SecretSource } from "./credential.ts"
import { callServer } from "./call.ts"
import { connectionOf } from "./pool.ts"
import type { McpOptions } from "./options.ts"
import { resourceTools } from "./resources.ts"
import { keptFiles } from "./files.ts"
import { loadSdk } from "./sdk.ts"

/** Tools of one server that are offered to the model: more are an error, which `include` mends. */
const TOOLS_MAX = 256
const DESCRIPTION_CHARS_MAX = 4_000
const SCHEMA_CHARS_MAX = 64_000
const NAME = /^[A-Za-z0-9_-]{1,32}$/
const IDEMPOTENCY_META = "rouse/idempotencyKey"

/**
 * The tools of an MCP server, for the model. Call it in the handler: the connection is shared by all wakes of the process, and the list is
 * asked for again only when the server says that it changed.
 *
 * ```ts
 * const files = { name: "files", server: mcpStdio({ command: "mcp-server-filesystem", args: ["/srv/files"] }) }
 * ctx.useAgent({ systemPrompt, model, tools: [...ctx.tools, ...(await mcpTools(files))] })
 * ```
 *
 * @param secrets Finds the secrets that are given by name.
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong; `BACKEND_FAILED` when the server cannot be reached and is `required`.
 * @see docs/mcp.md
 */
export async function mcpTools(options: McpOptions, secrets?: SecretSource): Promise<readonly Tool[]> {
  if (!NAME.test(options.name)) throw invalid("name", "must be 1 to 32 letters, digits, _ or -")
  if (options.timeout !== undefined && !(options.timeout > 0))
    throw invalid("timeout", "must be a positive number of milliseconds")
  try {
    const connection = connectionOf(options.server)
    connection.secrets = secrets ?? connection.secrets
    const listed = (await connection.tools()).filter(({ name }) => isOffered(options, name))
    if (listed.length > TOOLS_MAX) {
      throw invalid(
        "include",
        `is needed: the server has ${listed.length} tools, and at most ${TOOLS_MAX} can be offered`,
      )
    }
    const tools = await Promise.all(listed.map((served) => toolOf(options, served)))
    const all = [...tools.flat(), ...(await resourceTools(options))]
    const byName = new Map(all.map((made) => [made.name, made]))
    return [...byName.keys()].sort().map((name) => byName.get(name) as Tool)
  } catch (error) {
    if (options.required === false && RouseError.is(error, "BACKEND_FAILED")) return []
    throw error
  }
}

function isOffered({ include, exclude }: McpOptions, name: string): boolean {
  return (include === undefined || include.includes(name)) && exclude?.includes(name) !== true
}

async function toolOf(options: McpOptions, served: ServerTool): Promise<readonly Tool[]> {
  const input = await inputOf(served)
  if (input === undefined) return []
  const { effects = {}, trustHints = true, approval = false, timeout } = options
  const annotations = served.annotations ?? {}
  const effect: Effect = effects[served.name] ?? mcpEffect(trustHints ? annotations : undefined)
  const made = tool({
    name: mcpToolName(options.name, served.name),
    description: (served.description ?? served.title ?? served.name).slice(0, DESCRIPTION_CHARS_MAX),
    ...input,
    effect,
    backend: "mcp",
    approval: typeof approval === "boolean" ? approval : (input) => approval({ tool: served.name, input, annotations }),
    execute: async (input, { idempotencyKey, signal, attachments }) => {
      const result = await callServer(
        connectionOf(options.server),
        { effect, signal, timeoutMs: timeout },
        (client, limits) =>
          client.callTool(
            { name: served.name, arguments: input, _meta: { [IDEMPOTENCY_META]: idempotencyKey } },
            limits,
          ),
      )
      return await outputOf(result as McpResult & { readonly isError?: boolean }, served.name, attachments)
    },
  })
  return [made]
}

/** An error that the tool reports fails the call, with its words. */
async function outputOf(
  result: McpResult & { readonly isError?: boolean },
  name: string,
  attachments: Attachments,
): Promise<Json> {
  if (result.isError !== true) {
    const bytes = mcpBytes(result.content ?? [])
    return mcpOutput(result, bytes.length === 0 ? undefined : await keptFiles(bytes, name, attachments))
  }
  throw new RouseError("BACKEND_REFUSED", mcpText(result) || "the tool failed without a reason")
}

/** The schema as the model sees it and as calls are checked by; undefined for a tool whose schema is not one of an object. */
async function inputOf(
  served: ServerTool,
): Promise<{ readonly input: StandardSchemaV1<JsonObject, JsonObject>; readonly inputSchema: JsonObject } | undefined> {
  const { $schema: _, ...schema } = served.inputSchema as JsonObject
  if (schema["type"] !== "object") return undefined
  if (JSON.stringify(schema).length > SCHEMA_CHARS_MAX) return { input: ANY_OBJECT, inputSchema: { type: "object" } }
  const { fromJsonSchema } = await loadSdk()
  try {
    return { input: fromJsonSchema<JsonObject>(schema), inputSchema: schema }
  } catch {
    // A schema that our validator cannot read is the server's to check.
    return { input: ANY_OBJECT, inputSchema: schema }
  }
}

const ANY_OBJECT: StandardSchemaV1<JsonObject, JsonObject> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? { value: value as JsonObject }
        : { issues: [{ message: "must be an object" }] },
  },
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `mcpTools: ${field} ${rule}`, { details: { field } })
}
