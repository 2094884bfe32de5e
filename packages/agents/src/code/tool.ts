import { RouseError } from "@rouse/protocol"
import type { Effect, Json } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { codeDescription, codeEffect, seedOf } from "../core/code-rules.ts"
import { isPlatformTool } from "../platform-tools.ts"
import { tool } from "../tool.ts"
import type { Tool } from "../tool.ts"
import { CodeCalls } from "./calls.ts"
import type { CodeCall } from "./calls.ts"
import { enginesOf } from "./engine.ts"
import type { CodeWasm } from "./engine.ts"
import { runIsolate } from "./isolate.ts"

const MEMORY_MB = 32
const MEMORY_MB_MAX = 1_024
const TIMEOUT_MS = 10_000
const CPU_MS = 1_000
const SCRIPT_CHARS_MAX = 100_000
const OUTPUT_CHARS_MAX = 1_000_000
const LOG_CHARS_MAX = 16_000
const JS_NAME = /^[A-Za-z_$][A-Za-z0-9_$]*$/

export interface CodeToolOptions {
  /** What scripts may call, beside the language itself. None when absent. */
  readonly tools?: readonly Tool[]
  /** 1 to 64 letters, digits, `_` and `-`. `run_code` when absent. */
  readonly name?: string
  /** Memory of one script, in megabytes of 2^20 bytes. 32 when absent. */
  readonly memoryMb?: number
  /** Milliseconds of one script in all, with what it waits for. 10,000 when absent. */
  readonly timeoutMs?: number
  /** Milliseconds of a script's own work: the process does nothing else meanwhile. 1,000 when absent. */
  readonly cpuMs?: number
  /** A clock that stands still, at this time, and random numbers that are the same when a call runs again. */
  readonly deterministic?: { readonly nowMs: number }
  /** The effect class; by those of the tools when absent. */
  readonly effect?: Effect
  readonly approval?: boolean
  /** The engine, compiled: on Workers, which compile no bytes themselves. See docs/code.md. */
  readonly wasm?: CodeWasm
}

/** What a script did. */
export interface CodeResult {
  readonly value: Json
  /** What it wrote to its console, bounded. */
  readonly logs: string
  readonly calls: readonly CodeCall[]
}

/**
 * A tool that runs JavaScript which the model writes, in an isolate that reaches nothing but the tools it is given.
 *
 * ```ts
 * tools: [codeTool({ tools: [searchOrders, fetchInvoice], timeoutMs: 30_000 })]
 * ```
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/code.md
 */
export function codeTool(options: CodeToolOptions = {}): Tool {
  const { tools = [], memoryMb = MEMORY_MB, timeoutMs = TIMEOUT_MS, cpuMs = CPU_MS } = options
  checkNumber("memoryMb", memoryMb, MEMORY_MB_MAX)
  checkNumber("timeoutMs", timeoutMs, Infinity)
  checkNumber("cpuMs", cpuMs, Infinity)
  const byName = checkTools(tools)
  const memoryBytes = memoryMb * 2 ** 20
  const limits = { memoryBytes, cpuMs, timeoutMs, outputCharsMax: OUTPUT_CHARS_MAX }
  return tool({
    name: options.name ?? "run_code",
    description: codeDescription(
      tools,
      `At most ${cpuMs} ms of work, ${timeoutMs} ms in all and ${memoryMb} MB of memory.`,
    ),
    input: SCRIPT,
    inputSchema: {
      type: "object",
      properties: { code: { type: "string", description: "JavaScript: the body of an async function, with a return" } },
      required: ["code"],
      additionalProperties: false,
    },
    effect: options.effect ?? codeEffect(tools.map(({ effect }) => effect)),
    backend: "sandbox",
    approval: options.approval ?? false,
    execute: async ({ code }, ctx): Promise<CodeResult> => {
      const logs = new Lines()
      const stop = new AbortController()
      const signal = AbortSignal.any([ctx.signal, stop.signal])
      const calls = new CodeCalls(byName, { ...ctx, signal })
      const { deterministic } = options
      const fixed = deterministic && { nowMs: deterministic.nowMs, seed: seedOf(ctx.idempotencyKey) }
      try {
        const json = await enginesOf(memoryBytes, options.wasm).use((module, spoiled) =>
          runIsolate(
            module,
            code,
            {
              limits,
              tools: [...byName.keys()],
              call: (name, input) => calls.call(name, input),
              log: (line) => logs.add(line),
              signal: ctx.signal,
              now: () => Date.now(),
              fixed,
            },
            spoiled,
          ),
        )
        return { value: parsed(json), logs: logs.text, calls: calls.made() }
      } catch (error) {
        if (ctx.signal.aborted) throw error
        throw explained(error, logs.text, calls)
      } finally {
        // Calls that nobody waits for any more.
        stop.abort(new RouseError("INTERRUPTED", "the script has ended"))
      }
    },
  })
}

/** What the script returned. A script can make its own text of it. */
function parsed(json: string): Json {
  try {
    return JSON.parse(json) as Json
  } catch (error) {
    throw new RouseError("BACKEND_REFUSED", "what it returned is not JSON", { cause: error })
  }
}

/** The script's failure, with what it did until then. */
function explained(error: unknown, logs: string, calls: CodeCalls): unknown {
  if (!RouseError.is(error, "BACKEND_REFUSED")) return error
  const did = { ...(logs === "" ? {} : { logs }), ...(calls.made().length === 0 ? {} : { calls: calls.made() }) }
  const message = `the script failed: ${error.message}${Object.keys(did).length === 0 ? "" : ` ${JSON.stringify(did)}`}`
  return new RouseError(calls.isOpen ? "OUTCOME_UNKNOWN" : "BACKEND_REFUSED", message, { cause: error })
}

/** Lines of text, up to a bound. */
class Lines {
  text = ""
  #isFull = false

  add(line: string): void {
    if (this.#isFull) return
    const whole = this.text === "" ? line : `${this.text}\n${line}`
    this.#isFull = whole.length > LOG_CHARS_MAX
    this.text = this.#isFull ? `${whole.slice(0, LOG_CHARS_MAX)}\n[cut]` : whole
  }
}

function checkTools(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const byName = new Map<string, Tool>()
  for (const one of tools) {
    if (isPlatformTool(one))
      throw invalid("tools", `cannot hold ${one.name}: the platform's tools run in the agent loop alone`)
    const name = one.name.replaceAll("-", "_")
    if (!JS_NAME.test(name)) throw invalid("tools", `cannot hold ${one.name}: it is no name in JavaScript`)
    if (byName.has(name)) throw invalid("tools", `has two that are named ${name}`)
    byName.set(name, one)
  }
  return byName
}

function checkNumber(field: string, value: number, max: number): void {
  if (!(value > 0 && value <= max))
    throw invalid(field, `must be a positive number${max === Infinity ? "" : `, at most ${max}`}`)
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("INVALID_ARGS", `codeTool: ${field} ${rule}`, { details: { field } })
}

const SCRIPT: StandardSchemaV1<{ readonly code: string }, { readonly code: string }> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) => {
      const { code } = (typeof value === "object" && value !== null ? value : {}) as { readonly code?: unknown }
      if (typeof code === "string" && code.length <= SCRIPT_CHARS_MAX) return { value: { code } }
      return { issues: [{ message: `must be a text of at most ${SCRIPT_CHARS_MAX} characters`, path: ["code"] }] }
    },
  },
}
