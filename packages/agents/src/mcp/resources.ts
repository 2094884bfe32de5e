import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { ContextSource } from "../context.ts"
import { mcpToolName } from "../core/mcp-names.ts"
import { mcpResourceBytes, mcpResourceOutput } from "../core/mcp-results.ts"
import type { McpResourceContent } from "../core/mcp-results.ts"
import { tool } from "../tool.ts"
import type { Tool } from "../tool.ts"
import { callServer } from "./call.ts"
import type { McpOptions } from "./options.ts"
import { keptFiles } from "./files.ts"
import { connectionOf } from "./pool.ts"

/** Resources of one answer of the tool that lists them. */
const LISTED_MAX = 500
const URI_CHARS_MAX = 4_096

/** Tools by which the model lists and reads the server's resources, if it has any. */
export async function resourceTools(options: McpOptions): Promise<readonly Tool[]> {
  if (options.resources === false) return []
  const connection = connectionOf(options.server)
  if (!(await connection.has("resources"))) return []
  const list = tool({
    name: mcpToolName(options.name, "list_resources"),
    description: `List the resources (documents, files, records) that ${options.name} has, with their addresses.`,
    input: NOTHING,
    inputSchema: { type: "object", properties: {}, additionalProperties: false },
    effect: "pure",
    backend: "mcp",
    execute: (_, { signal }) => listed(options, signal),
  })
  const read = tool({
    name: mcpToolName(options.name, "read_resource"),
    description: `Read one resource of ${options.name} by its address.`,
    input: URI,
    inputSchema: {
      type: "object",
      properties: { uri: { type: "string", description: "The resource's address" } },
      required: ["uri"],
      additionalProperties: false,
    },
    effect: "pure",
    backend: "mcp",
    execute: async ({ uri }, { signal, attachments }) => {
      const contents = await readResource(options, uri, signal)
      const bytes = mcpResourceBytes(contents)
      return mcpResourceOutput(
        contents,
        bytes.length === 0 ? undefined : await keptFiles(bytes, "resource", attachments),
      )
    },
  })
  return [list, read]
}

/**
 * A resource of an MCP server as a text.
 *
 * @throws {RouseError} `BACKEND_REFUSED` when the server refuses, `BACKEND_FAILED` when it cannot be reached; `NOT_FOUND` when the resource has no text.
 */
export async function mcpResource(options: McpOptions, uri: string): Promise<string> {
  const contents = await readResource(options, uri)
  const texts = contents.flatMap(({ text }) => (text === undefined ? [] : [text]))
  if (texts.length === 0) throw new RouseError("NOT_FOUND", `the resource ${JSON.stringify(uri)} has no text`)
  return texts.join("\n")
}

/** A resource of an MCP server as a context source: `ctx.useContext(mcpSource(files, "file:///rules.md", { name: "rules", tokens: 2_000 }))`. */
export function mcpSource(options: McpOptions, uri: string, source: Omit<ContextSource, "load">): ContextSource {
  return { ...source, load: () => mcpResource(options, uri) }
}

async function readResource(
  options: McpOptions,
  uri: string,
  signal?: AbortSignal,
): Promise<readonly McpResourceContent[]> {
  const rules = { effect: "pure", signal, timeoutMs: options.timeout } as const
  const { contents } = await callServer(connectionOf(options.server), rules, (client, limits) =>
    client.readResource({ uri }, limits),
  )
  return contents
}

async function listed(options: McpOptions, signal: AbortSignal): Promise<Json> {
  const rules = { effect: "pure", signal, timeoutMs: options.timeout } as const
  const connection = connectionOf(options.server)
  const { resources } = await callServer(connection, rules, (client, limits) => client.listResources(undefined, limits))
  const { resourceTemplates } = await callServer(connection, rules, (client, limits) =>
    client.listResourceTemplates(undefined, limits),
  )
  return {
    resources: resources.slice(0, LISTED_MAX).map(({ uri, name, description = "" }) => ({ uri, name, description })),
    templates: resourceTemplates
      .slice(0, LISTED_MAX)
      .map(({ uriTemplate, name, description = "" }) => ({ uriTemplate, name, description })),
    omitted: Math.max(0, resources.length - LISTED_MAX) + Math.max(0, resourceTemplates.length - LISTED_MAX),
  }
}

const NOTHING: StandardSchemaV1 = {
  "~standard": { version: 1, vendor: "rouse", validate: () => ({ value: {} }) },
}

const URI: StandardSchemaV1<{ readonly uri: string }, { readonly uri: string }> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) => {
      const { uri } = (typeof value === "object" && value !== null ? value : {}) as { readonly uri?: unknown }
      return typeof uri === "string" && uri !== "" && uri.length <= URI_CHARS_MAX
        ? { value: { uri } }
        : { issues: [{ message: `must be a text of 1 to ${URI_CHARS_MAX} characters`, path: ["uri"] }] }
    },
  },
}
