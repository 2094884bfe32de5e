import { callServer } from "./call.ts"
import type { McpOptions } from "./options.ts"
import { connectionOf } from "./pool.ts"

/** A prompt that an MCP server offers. */
export interface McpPrompt {
  readonly name: string
  readonly description: string
  readonly arguments: readonly { readonly name: string; readonly required: boolean }[]
}

/** The prompts that a server offers. @throws {RouseError} `BACKEND_FAILED` when it cannot be reached. */
export async function mcpPrompts(options: McpOptions): Promise<readonly McpPrompt[]> {
  const { prompts } = await callServer(connectionOf(options.server), rulesOf(options), (client, limits) =>
    client.listPrompts(undefined, limits),
  )
  return prompts.map(({ name, description = "", arguments: args = [] }) => ({
    name,
    description,
    arguments: args.map((argument) => ({ name: argument.name, required: argument.required === true })),
  }))
}

/**
 * A prompt of an MCP server as a text, for `systemPrompt` or `ctx.agent.run({ prompt })`. Messages that are not text are left out.
 *
 * @throws {RouseError} `BACKEND_REFUSED` when the server has no such prompt or misses an argument, `BACKEND_FAILED` when it cannot be reached.
 */
export async function mcpPrompt(
  options: McpOptions,
  name: string,
  args: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { messages } = await callServer(connectionOf(options.server), rulesOf(options), (client, limits) =>
    client.getPrompt({ name, arguments: { ...args } }, limits),
  )
  return messages.flatMap(({ content }) => textOf(content)).join("\n\n")
}

function textOf(content: {
  readonly type: string
  readonly text?: unknown
  readonly resource?: unknown
}): readonly string[] {
  if (content.type === "text") return typeof content.text === "string" ? [content.text] : []
  const { text } = (content.resource ?? {}) as { readonly text?: unknown }
  return typeof text === "string" ? [text] : []
}

function rulesOf({ timeout }: McpOptions) {
  return { effect: "pure", timeoutMs: timeout } as const
}
