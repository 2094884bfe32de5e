import { RouseError } from "@rouse/protocol"
import type { Effect, JsonObject } from "@rouse/protocol"
import { tool } from "../tool.ts"
import type { Tool, ToolContext } from "../tool.ts"
import type { SandboxProvider, Workspace } from "./provider.ts"
import { attachTool, placeTool, shown } from "./file-tools.ts"
import { inputOf } from "./schemas.ts"
import { workspaceName } from "./workspaces.ts"

const TIMEOUT_MS = 120_000
const FILE_BYTES_MAX = 1_000_000
const OUTPUT_CHARS_MAX = 100_000
const MATCHES_MAX = 200
const COMMAND_CHARS_MAX = 32_000
const NAME = /^[A-Za-z0-9_-]{1,32}$/

export interface SandboxOptions {
  /** Which workspace. The agent's own when absent; `ctx.wake.id`: one for this wake. */
  readonly workspace?: string
  /** Begins the tools' names, as in `{prefix}_shell`. None when absent. */
  readonly prefix?: string
  /** Milliseconds that a command may take. 120,000 when absent. */
  readonly timeoutMs?: number
  /** What a command does to the world, and so what a crash in the middle means. `once` when absent. */
  readonly shellEffect?: Effect
  /** Whether a person must allow a command. */
  readonly approval?: boolean | ((command: string) => boolean | Promise<boolean>)
  /** False: files alone. */
  readonly shell?: boolean
}

/**
 * Tools over a sandbox for the model: `shell`, `read_file`, `write_file`, `edit_file`, `search_files`, `attach_file` and `place_file`. The workspace is
 * made when it is first used, and is there in the agent's next wakes.
 *
 * ```ts
 * const sandbox = localSandbox({ directory: "/srv/agents" })
 * tools: [...ctx.tools, ...sandboxTools(sandbox)]
 * ```
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/sandbox.md
 */
export function sandboxTools(provider: SandboxProvider, options: SandboxOptions = {}): readonly Tool[] {
  const { prefix, timeoutMs = TIMEOUT_MS } = options
  if (prefix !== undefined && !NAME.test(prefix)) throw invalid("prefix", "must be 1 to 32 letters, digits, _ or -")
  if (!(timeoutMs > 0)) throw invalid("timeoutMs", "must be a positive number of milliseconds")
  const place = {
    named: (name: string) => (prefix === undefined ? name : `${prefix}_${name}`),
    open: (ctx: ToolContext) => provider.open(workspaceName(ctx.entity, options.workspace), ctx),
  }
  const files = [
    readTool(place),
    writeTool(place),
    editTool(place),
    searchTool(place),
    attachTool(place),
    placeTool(place),
  ]
  return options.shell === false ? files : [shellTool(place, options, timeoutMs), ...files]
}

/** Where a provider's tools work. */
export interface Place {
  named(name: string): string
  open(ctx: ToolContext): Promise<Workspace>
}

function shellTool(place: Place, options: SandboxOptions, timeoutMs: number): Tool {
  const { approval = false } = options
  return tool({
    name: place.named("shell"),
    description: `Run a shell command in the workspace. It ends after ${timeoutMs / 1_000} s at the latest, and what it leaves in the background may end with it.`,
    ...inputOf<{ readonly command: string }>({
      command: { type: "string", description: "The command, as for sh -c", charsMax: COMMAND_CHARS_MAX },
    }),
    effect: options.shellEffect ?? "once",
    backend: "sandbox",
    parallel: false,
    approval: typeof approval === "boolean" ? approval : ({ command }) => approval(command),
    execute: async ({ command }, ctx) => {
      const workspace = await place.open(ctx)
      const { signal } = ctx
      return { ...(await workspace.run(command, { timeoutMs, outputCharsMax: OUTPUT_CHARS_MAX, signal })) }
    },
  })
}

const PATH = { type: "string", description: "Path of the file, relative to the workspace" } as const

function readTool(place: Place): Tool {
  return tool({
    name: place.named("read_file"),
    description: "Read a text file of the workspace, all of it or some of its lines, or look at an image or PDF.",
    ...inputOf<{ readonly path: string; readonly line?: number; readonly lines?: number }>({
      path: PATH,
      line: { type: "integer", description: "The first line to return, from 1", optional: true },
      lines: { type: "integer", description: "How many lines to return", optional: true },
    }),
    effect: "pure",
    backend: "sandbox",
    execute: async ({ path, line = 1, lines }, ctx) => {
      const workspace = await place.open(ctx)
      const picture = await shown(workspace, path, ctx)
      if (picture !== undefined) return picture
      const text = await readText(workspace, path)
      if (line === 1 && lines === undefined) return text
      const all = text.split("\n")
      return all.slice(line - 1, lines === undefined ? undefined : line - 1 + lines).join("\n")
    },
  })
}

function writeTool(place: Place): Tool {
  return tool({
    name: place.named("write_file"),
    description: "Write a text file of the workspace, as a whole. What was in it is replaced.",
    ...inputOf<{ readonly path: string; readonly content: string }>({
      path: PATH,
      content: { type: "string", description: "All of the file", charsMax: FILE_BYTES_MAX },
    }),
    effect: "idempotent",
    backend: "sandbox",
    parallel: false,
    execute: async ({ path, content }, ctx) => await writeText(await place.open(ctx), path, content),
  })
}

function editTool(place: Place): Tool {
  return tool({
    name: place.named("edit_file"),
    description: "Replace a text in a file of the workspace. It must be there once, exactly as given.",
    ...inputOf<{ readonly path: string; readonly old: string; readonly new: string }>({
      path: PATH,
      old: { type: "string", description: "The text to replace", charsMax: FILE_BYTES_MAX },
      new: { type: "string", description: "What to put there", charsMax: FILE_BYTES_MAX },
    }),
    effect: "idempotent",
    backend: "sandbox",
    parallel: false,
    execute: async ({ path, old, new: next }, ctx) => {
      const workspace = await place.open(ctx)
      const text = await readText(workspace, path)
      const count = old === "" ? 0 : text.split(old).length - 1
      // A call that runs again, and that was cut off after it had its effect.
      if (count === 0 && ctx.attempt > 1 && next !== "" && text.includes(next)) return { path, replaced: true }
      if (count !== 1) throw new RouseError("INVALID_ARGS", `old is ${count} times in ${path}, and must be there once`)
      await writeText(
        workspace,
        path,
        text.replace(old, () => next),
      )
      return { path, replaced: true }
    },
  })
}

function searchTool(place: Place): Tool {
  return tool({
    name: place.named("search_files"),
    description: "Find lines in the workspace's text files by a regular expression.",
    ...inputOf<{ readonly pattern: string; readonly path?: string }>({
      pattern: { type: "string", description: "The regular expression", charsMax: 1_000 },
      path: { type: "string", description: "File or directory to search; all when left out", optional: true },
    }),
    effect: "pure",
    backend: "sandbox",
    execute: async ({ pattern, path }, ctx) => {
      const workspace = await place.open(ctx)
      return { ...(await workspace.search(pattern, { path, matchesMax: MATCHES_MAX, signal: ctx.signal })) }
    },
  })
}

async function readText(workspace: Workspace, path: string): Promise<string> {
  const bytes = await workspace.read(path, FILE_BYTES_MAX)
  if (bytes.includes(0))
    throw new RouseError("UNSUPPORTED_MEDIA_TYPE", `${path} is not a text file: attach_file gives it to others`)
  return new TextDecoder().decode(bytes)
}

async function writeText(workspace: Workspace, path: string, text: string): Promise<JsonObject> {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length > FILE_BYTES_MAX) throw new RouseError("TOO_LARGE", `a file may have ${FILE_BYTES_MAX} bytes`)
  await workspace.write(path, bytes)
  return { path, bytes: bytes.length }
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `sandboxTools: ${field} ${rule}`, { details: { field } })
}
