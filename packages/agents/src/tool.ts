import { RouseError } from "@rouse/protocol"
import type { ApprovalTerms, Backend, Effect, EntityInfo, JsonObject } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { checkTerms } from "./core/approval-terms.ts"
import type { Attachments } from "./attachments.ts"
import { isSchema, jsonSchemaOf } from "./core/validate.ts"
import type { Host } from "./host.ts"
import type { Log } from "./log.ts"
import { Gate } from "./gate.ts"
import type { Secret } from "./secrets/secret.ts"

/** What a tool is told about the call it serves. */
export interface ToolContext {
  /** The same for every attempt of this call, also after a crash: hand it to whatever has the effect. */
  readonly idempotencyKey: string
  /** Aborts on an interrupt, a shutdown, a lost lease or the tool's timeout. */
  readonly signal: AbortSignal
  /** From 1. */
  readonly attempt: number
  readonly entity: EntityInfo
  /** What a call makes and the model or a person should see: put it, and return what `put` returned, anywhere in the output. */
  readonly attachments: Attachments
  readonly log: Log
  /**
   * The value of a secret, now. From here on it is taken out of everything that agents write (docs/secrets.md).
   *
   * @throws {RouseError} `SECRET_MISSING`.
   */
  secret(wanted: Secret | string): Promise<string>
  /** A text without the secrets known so far. */
  redact(text: string): string
  /** What the wake was given by its host: the clock, the network. */
  readonly host: Host
}

/** Whether people must allow a call before it runs, and who, how many and until when. */
export type Approval<Input> =
  | boolean
  | ApprovalTerms
  | ((input: Input, ctx: ToolContext) => boolean | ApprovalTerms | Promise<boolean | ApprovalTerms>)

/** How often a tool that throws is tried, in one wake. */
export interface ToolRetry {
  /** Tries in all, 1 to 10. */
  readonly attempts: number
  /** Before the second try, in milliseconds; doubles each time. 200 when absent. */
  readonly delayMs?: number
}

export interface ToolOptions<S extends StandardSchemaV1, Output> {
  /** 1 to 64 of letters, digits, `_` and `-`: what every provider accepts. */
  readonly name: string
  /** What the tool does and when to use it: the model reads this. */
  readonly description: string
  readonly input: S
  /** JSON Schema of the input for the model, when `input` cannot say it itself. */
  readonly inputSchema?: JsonObject
  /**
   * What the tool does to the world, and so what happens when a crash leaves a call open (DESIGN P2): `pure` and `idempotent`
   * run again with the same key, `reconcilable` is asked what happened, `once` is never run again.
   */
  readonly effect: Effect
  /** Where it executes, for the log and the page; the handler's own process when absent. */
  readonly backend?: Backend
  readonly approval?: Approval<StandardSchemaV1.InferOutput<S>>
  /** Milliseconds for one try. Without it a tool may take as long as its wake. */
  readonly timeout?: number
  readonly retry?: ToolRetry
  /** False: runs alone, with no other call of its step beside it. */
  readonly parallel?: boolean
  /**
   * Calls of this tool that run at once in this process, over all its agents; the others wait. For a tool that is defined once, not in each wake.
   */
  readonly concurrency?: number
  execute(input: StandardSchemaV1.InferOutput<S>, ctx: ToolContext): Output | Promise<Output>
  /** For `reconcilable`: what became of this call. Undefined means that it did not happen. */
  reconcile?(input: StandardSchemaV1.InferOutput<S>, ctx: ToolContext): Output | undefined | Promise<Output | undefined>
}

/** A tool as the loop sees it. Made by `tool`. */
export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: StandardSchemaV1
  readonly inputSchema: JsonObject
  readonly effect: Effect
  readonly backend: Backend | undefined
  readonly parallel: boolean
  /** Where its calls wait when only so many may run at once. */
  readonly gate?: Gate
  readonly timeoutMs: number | undefined
  readonly retry: ToolRetry
  /** Whether people must allow this call, and on what terms. */
  needsApproval(input: unknown, ctx: ToolContext): Promise<boolean | ApprovalTerms>
  /** The output is any value that can be written as JSON. */
  execute(input: unknown, ctx: ToolContext): Promise<unknown>
  readonly reconcile: ((input: unknown, ctx: ToolContext) => Promise<unknown>) | undefined
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const EFFECTS: readonly string[] = ["pure", "idempotent", "reconcilable", "once"] satisfies readonly Effect[]
const RETRY_ATTEMPTS_MAX = 10

/**
 * Defines a tool that the model may call.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is missing or wrong.
 * @see DESIGN §4.4
 */
export function tool<S extends StandardSchemaV1, Output>(options: ToolOptions<S, Output>): Tool {
  check(options)
  const { approval = false } = options
  const reconcile = options.reconcile?.bind(options)
  return {
    name: options.name,
    description: options.description,
    input: options.input,
    inputSchema: schemaFor(options),
    effect: options.effect,
    backend: options.backend,
    parallel: options.parallel ?? true,
    ...(options.concurrency === undefined ? {} : { gate: new Gate(options.concurrency) }),
    timeoutMs: options.timeout,
    retry: options.retry ?? { attempts: 1 },
    needsApproval: async (input, ctx) => (typeof approval === "function" ? await approval(input, ctx) : approval),
    execute: async (input, ctx) => await options.execute(input, ctx),
    reconcile: reconcile === undefined ? undefined : async (input, ctx) => await reconcile(input, ctx),
  }
}

/** What executes a tool of the platform's own: nothing but the loop, which knows what to do with it. */
export function byTheLoop(name: string): () => never {
  return () => {
    throw new RouseError("INVALID_ARGS", `${name} is the platform's: only the agent loop can run it`)
  }
}

type Unchecked = {
  readonly [K in keyof ToolOptions<StandardSchemaV1, unknown>]?: ToolOptions<StandardSchemaV1, unknown>[K] | undefined
}

/** Checks what a program without types may get wrong too. */
function check(options: Unchecked): void {
  const { name, effect, retry, timeout, concurrency } = options
  if (typeof name !== "string" || !NAME.test(name)) {
    fail(name, "name", "must be 1 to 64 letters, digits, _ or -")
  }
  if (typeof options.description !== "string") fail(name, "description", "is required: the model reads it")
  if (!isSchema(options.input)) fail(name, "input", "must be a Standard Schema, such as z.object({ … })")
  if (effect === undefined || !EFFECTS.includes(effect)) {
    fail(name, "effect", `is required: one of ${EFFECTS.join(", ")}. It says how a crash in the middle is resolved`)
  }
  if (typeof options.execute !== "function") fail(name, "execute", "must be a function")
  if (effect === "reconcilable" && typeof options.reconcile !== "function") {
    fail(name, "reconcile", 'is required with effect "reconcilable": it finds out what became of a call')
  }
  if (typeof options.approval === "object") checkTerms(options.approval, `tool ${JSON.stringify(name)}: approval`)
  if (timeout !== undefined && !(timeout > 0)) fail(name, "timeout", "must be a positive number of milliseconds")
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0))
    fail(name, "concurrency", "must be a positive whole number")
  if (retry !== undefined && !(retry.attempts >= 1 && retry.attempts <= RETRY_ATTEMPTS_MAX)) {
    fail(name, "retry.attempts", `must be 1 to ${RETRY_ATTEMPTS_MAX}`)
  }
  if (retry !== undefined && effect === "once" && retry.attempts > 1) {
    fail(name, "retry", 'is not possible with effect "once": it is never run again')
  }
}

function schemaFor(options: {
  readonly name: string
  readonly input: StandardSchemaV1
  readonly inputSchema?: JsonObject
}): JsonObject {
  const schema = options.inputSchema ?? jsonSchemaOf(options.input)
  if (schema !== undefined) return schema
  return fail(
    options.name,
    "inputSchema",
    `is required: this ${options.input["~standard"].vendor} schema cannot be shown as JSON Schema (zod can, since 4.2)`,
  )
}

function fail(name: unknown, field: string, rule: string): never {
  throw new RouseError("INVALID_ARGS", `tool ${JSON.stringify(name ?? "")}: ${field} ${rule}`, { details: { field } })
}
