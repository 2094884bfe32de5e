import { RouseError } from "@rouse/protocol"
import type { Effect, JsonObject, WorkTerms } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { isSchema, jsonSchemaOf } from "./core/validate.ts"
import { tool } from "./tool.ts"
import type { Approval, Tool, ToolRetry } from "./tool.ts"

export interface WorkerToolOptions<S extends StandardSchemaV1> {
  readonly name: string
  readonly description: string
  readonly input: S
  readonly inputSchema?: JsonObject
  /** What a worker must return. Anything that is JSON when absent. */
  readonly output?: StandardSchemaV1
  /** JSON Schema of the output, when `output` cannot say it itself. */
  readonly outputSchema?: JsonObject
  /** What becomes of the call when its worker is lost: see `tool`. A `reconcilable` one is reconciled by the next worker. */
  readonly effect: Effect
  /** The queue that its workers take from; `default` when absent. */
  readonly queue?: string
  readonly approval?: Approval<StandardSchemaV1.InferOutput<S>>
  /** Milliseconds that one try may take, from the moment a worker has it. As long as its worker says that it lives when absent. */
  readonly timeout?: number
  /** Milliseconds that a worker may be silent before the call is taken from it; 30,000 when absent. */
  readonly heartbeat?: number
  /** Milliseconds until the model is told that no worker took it. For ever when absent. */
  readonly expires?: number
  /** How often a call is tried that fails. A lost worker does not count. */
  readonly retry?: ToolRetry
  /** Calls of this tool that workers may hold at once, of all agents together. */
  readonly concurrency?: number
}

/** A tool whose backend is a queue that tool workers take calls from. */
export interface WorkerTool extends Tool {
  readonly work: WorkTerms
}

export function isWorkerTool(candidate: Tool): candidate is WorkerTool {
  return "work" in candidate
}

const NAME = /^[A-Za-z0-9_.:-]{1,64}$/
const HEARTBEAT_MS_MIN = 1_000

/**
 * A tool that a worker elsewhere runs: see `createToolWorker` of `@rouse/client/worker`. The call waits in a durable queue, the run
 * is suspended, and no process waits with it.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is missing or wrong.
 * @see docs/workers.md
 */
export function workerTool<S extends StandardSchemaV1>(options: WorkerToolOptions<S>): Tool {
  const { name, queue = "default", timeout, heartbeat, expires, retry, concurrency, effect } = options
  const fail = (field: string, rule: string): never => {
    throw new RouseError("INVALID_ARGS", `tool ${JSON.stringify(name ?? "")}: ${field} ${rule}`, { details: { field } })
  }
  if (typeof queue !== "string" || !NAME.test(queue)) fail("queue", "must be 1 to 64 letters, digits, _ . : or -")
  for (const [field, value] of Object.entries({ timeout, heartbeat, expires, concurrency })) {
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0))
      fail(field, "must be a positive whole number")
  }
  if (heartbeat !== undefined && heartbeat < HEARTBEAT_MS_MIN) fail("heartbeat", `must be at least ${HEARTBEAT_MS_MIN}`)
  const output = outputSchema(options, fail)
  const execute = (): never => {
    throw new RouseError("INVALID_ARGS", `${name} is a worker's: only a tool worker can run it`)
  }
  const made: WorkerTool = {
    ...tool({
      name,
      description: options.description,
      input: options.input,
      ...(options.inputSchema ? { inputSchema: options.inputSchema } : {}),
      effect,
      backend: "worker",
      ...(options.approval === undefined ? {} : { approval: options.approval }),
      ...(retry ? { retry } : {}),
      execute,
      reconcile: execute,
    }),
    work: {
      queue,
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      ...(heartbeat === undefined ? {} : { heartbeatMs: heartbeat }),
      ...(expires === undefined ? {} : { expiresMs: expires }),
      ...(retry ? { attempts: retry.attempts } : {}),
      ...(retry?.delayMs === undefined ? {} : { delayMs: retry.delayMs }),
      ...(concurrency === undefined ? {} : { concurrency }),
      ...(output ? { output } : {}),
    },
  }
  return made
}

function outputSchema(
  { output, outputSchema: given }: Pick<WorkerToolOptions<StandardSchemaV1>, "output" | "outputSchema">,
  fail: (field: string, rule: string) => never,
): JsonObject | undefined {
  if (given !== undefined || output === undefined) return given
  if (!isSchema(output)) return fail("output", "must be a Standard Schema, such as z.object({ … })")
  return (
    jsonSchemaOf(output) ?? fail("outputSchema", "is required: this output's schema cannot be shown as JSON Schema")
  )
}
