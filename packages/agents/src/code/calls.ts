import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import { orAborted } from "../abort.ts"
import { toJson, validate } from "../core/validate.ts"
import type { Tool, ToolContext } from "../tool.ts"

/** Tool calls of one script. */
const CALLS_MAX = 100
const SHOWN_CHARS_MAX = 500
const DIGEST_BYTES = 12

/** A call that a script made, for the log. */
export interface CodeCall {
  readonly tool: string
  readonly input: Json
  readonly status: "done" | "failed" | "running"
  readonly error?: string
}

/**
 * The tool calls of one script.
 *
 * Invariant: the same call, counted among those that are the same, has the same idempotency key whenever the script runs again. A script that
 * takes another way because something else is true by then makes calls of other keys.
 */
export class CodeCalls {
  readonly #tools: ReadonlyMap<string, Tool>
  readonly #outer: ToolContext
  readonly #same = new Map<string, number>()
  readonly #made: { tool: string; input: Json; status: CodeCall["status"]; error?: string; isSafe: boolean }[] = []

  constructor(tools: ReadonlyMap<string, Tool>, outer: ToolContext) {
    this.#tools = tools
    this.#outer = outer
  }

  /** What was called, in order. */
  made(): readonly CodeCall[] {
    return this.#made.map(({ tool, input, status, error }) => ({
      tool,
      input: shown(input),
      status,
      ...(error === undefined ? {} : { error }),
    }))
  }

  /** Whether a call is under way that must not be made again: nobody will know what became of it. */
  get isOpen(): boolean {
    return this.#made.some(({ status, isSafe }) => status === "running" && !isSafe)
  }

  /** Runs one call. JSON in, JSON out. */
  async call(name: string, inputText: string): Promise<string> {
    const tool = this.#tools.get(name)
    if (tool === undefined) throw new RouseError("NOT_FOUND", `there is no tool ${JSON.stringify(name)}`)
    if (this.#made.length >= CALLS_MAX) throw new RouseError("OVERLOADED", `a script may call tools ${CALLS_MAX} times`)
    const parsed = JSON.parse(inputText) as Json
    const made = { tool: name, input: parsed, status: "running" as CodeCall["status"], isSafe: tool.effect !== "once" }
    this.#made.push(made)
    try {
      const idempotencyKey = await this.#key(name, inputText)
      const output = await this.#run(tool, parsed, { ...this.#outer, idempotencyKey })
      made.status = "done"
      return JSON.stringify(output)
    } catch (error) {
      if (!this.#outer.signal.aborted) Object.assign(made, { status: "failed", error: wordsOf(error) })
      throw error
    }
  }

  async #run(tool: Tool, parsed: Json, ctx: ToolContext): Promise<Json> {
    const input = await validate(tool.input, parsed, "input")
    if (await tool.needsApproval(input, ctx)) {
      throw new RouseError("FORBIDDEN", `${tool.name} needs a person's approval: call it as a tool, not in a script`)
    }
    const { reconcile } = tool
    if (ctx.attempt > 1 && reconcile !== undefined) {
      const found = await timed(tool, ctx, (inner) => reconcile(input, inner))
      if (found !== undefined) return toJson(found, "what reconcile returned")
    }
    return toJson(await timed(tool, ctx, (inner) => tool.execute(input, inner)), "the output")
  }

  async #key(name: string, inputText: string): Promise<string> {
    const same = `${name} ${inputText}`
    const count = (this.#same.get(same) ?? 0) + 1
    this.#same.set(same, count)
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(same))
    const hex = Array.from(new Uint8Array(digest, 0, DIGEST_BYTES), (byte) => byte.toString(16).padStart(2, "0"))
    return `${this.#outer.idempotencyKey}/${name}-${hex.join("")}-${count}`
  }
}

/** Within the tool's own time. */
async function timed<T>(tool: Tool, ctx: ToolContext, work: (ctx: ToolContext) => Promise<T>): Promise<T> {
  if (tool.timeoutMs === undefined) return await orAborted(work(ctx), ctx.signal)
  const timeout = new AbortController()
  const error = new RouseError("TIMED_OUT", `${tool.name} took longer than ${tool.timeoutMs} ms`)
  const timer = setTimeout(() => timeout.abort(error), tool.timeoutMs)
  const signal = AbortSignal.any([ctx.signal, timeout.signal])
  try {
    return await orAborted(work({ ...ctx, signal }), signal)
  } finally {
    clearTimeout(timer)
  }
}

function shown(input: Json): Json {
  const text = JSON.stringify(input)
  return text.length <= SHOWN_CHARS_MAX ? input : `${text.slice(0, SHOWN_CHARS_MAX)}…`
}

function wordsOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, SHOWN_CHARS_MAX)
}
