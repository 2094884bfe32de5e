import { RouseError } from "@rouse/protocol"
import type {
  QuickJSContext,
  QuickJSDeferredPromise,
  QuickJSHandle,
  QuickJSRuntime,
  QuickJSWASMModule,
} from "quickjs-emscripten-core"
import { codeFailure } from "../core/code-rules.ts"
import { PRELUDE } from "./prelude.ts"

export interface IsolateLimits {
  readonly memoryBytes: number
  /** Milliseconds of the script's own work. */
  readonly cpuMs: number
  /** Milliseconds in all, with what it waits for. */
  readonly timeoutMs: number
  readonly outputCharsMax: number
}

export interface IsolateOptions {
  readonly limits: IsolateLimits
  readonly tools: readonly string[]
  /** Runs a tool: JSON in, JSON out. A rejection becomes an exception in the script. */
  readonly call: (tool: string, input: string) => Promise<string>
  readonly log: (line: string) => void
  readonly signal: AbortSignal
  readonly now: () => number
  /** A clock that stands still and random numbers that are the same each time. */
  readonly fixed: { readonly nowMs: number; readonly seed: number } | undefined
}

const STACK_BYTES_MAX = 256 * 1024
/** Jobs that run before the limits are looked at: a script may make jobs for ever. */
const JOBS_MAX = 1_000

/**
 * Runs one script in a runtime of its own.
 *
 * Invariants:
 * 1. The script reaches nothing but \`call\` and \`log\`: both take and give texts.
 * 2. Nothing of it is left when it ends: every handle is freed, also after a crash in the middle.
 *
 * @returns What the script returned, as JSON.
 * @throws {RouseError} `BACKEND_REFUSED` with the script's own exception or the limit it met; the signal's reason.
 */
export async function runIsolate(
  module: QuickJSWASMModule,
  script: string,
  options: IsolateOptions,
  spoiled: () => void,
): Promise<string> {
  const run = new Run(module, options)
  try {
    return await run.run(script)
  } finally {
    if (!run.dispose()) spoiled()
  }
}

class Run {
  readonly #options: IsolateOptions
  readonly #runtime: QuickJSRuntime
  readonly #context: QuickJSContext
  readonly #pending = new Set<QuickJSDeferredPromise>()
  readonly #endsAtMs: number
  #cpuMs = 0
  #enteredAtMs = 0
  #stopped: string | undefined
  #isOver = false
  #isDone = false
  /** The engine itself failed in the middle of something: nothing in it can be trusted, not even to be freed. */
  #trapped = false
  #settle: { resolve(json: string): void; reject(error: Error): void } | undefined

  constructor(module: QuickJSWASMModule, options: IsolateOptions) {
    this.#options = options
    this.#runtime = module.newRuntime()
    this.#runtime.setMemoryLimit(options.limits.memoryBytes)
    this.#runtime.setMaxStackSize(STACK_BYTES_MAX)
    this.#runtime.setInterruptHandler(() => this.#mustStop())
    this.#context = this.#runtime.newContext()
    this.#endsAtMs = options.now() + options.limits.timeoutMs
  }

  async run(script: string): Promise<string> {
    const { signal, limits, now } = this.#options
    const ended = new Promise<string>((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    const stop = (): void => this.#fail(signal.reason instanceof Error ? signal.reason : refused(String(signal.reason)))
    const timer = setTimeout(
      () => this.#fail(refused(`it took longer than ${limits.timeoutMs} ms`)),
      this.#endsAtMs - now(),
    )
    signal.addEventListener("abort", stop, { once: true })
    try {
      if (signal.aborted) stop()
      else this.#enter(() => this.#start(script))
      return await ended
    } finally {
      this.#isOver = true
      clearTimeout(timer)
      signal.removeEventListener("abort", stop)
    }
  }

  /** Frees everything. False: it could not, and the engine is not to be used again. */
  dispose(): boolean {
    this.#isOver = true
    if (this.#trapped) return false
    try {
      for (const deferred of this.#pending) deferred.dispose()
      this.#context.dispose()
      this.#runtime.dispose()
      return true
    } catch {
      // A script that ran out of memory may leave its heap in a state that cannot be freed: the engine is replaced.
      return false
    }
  }

  #start(script: string): void {
    const context = this.#context
    const start = this.#prepare()
    const done = context.newFunction("done", (json) => this.#end(() => this.#done(this.#output(json))))
    const failed = context.newFunction("failed", (error) => this.#end(() => this.#fail(this.#thrown(error))))
    try {
      const main = this.#evaluate(`async () => {\n${script}\n}`, "script.js")
      this.#check(context.callFunction(start, context.undefined, main, done, failed)).dispose()
      main.dispose()
    } finally {
      for (const handle of [start, done, failed]) handle.dispose()
    }
    this.#pump()
  }

  /** Puts the script's world in place. Returns what starts it. */
  #prepare(): QuickJSHandle {
    const context = this.#context
    const { fixed, tools } = this.#options
    const call = context.newFunction("call", (tool, input) =>
      this.#call(context.getString(tool), context.getString(input)),
    )
    const log = context.newFunction("log", (line) => this.#options.log(context.getString(line)))
    const names = context.newString(tools.join(","))
    const shown = context.newString(fixed === undefined ? "" : JSON.stringify(fixed))
    const prelude = this.#evaluate(PRELUDE, "rouse.js")
    const start = this.#check(context.callFunction(prelude, context.undefined, call, log, names, shown))
    for (const handle of [call, log, names, shown, prelude]) handle.dispose()
    return start
  }

  /** A tool's promise in the script, settled when ours is. */
  #call(tool: string, input: string): QuickJSHandle {
    const context = this.#context
    const deferred = context.newPromise()
    this.#pending.add(deferred)
    const settle = (kind: "resolve" | "reject", make: () => QuickJSHandle): void => {
      if (this.#isOver) return
      this.#enter(() => {
        const value = make()
        deferred[kind](value)
        value.dispose()
        this.#pending.delete(deferred)
        deferred.dispose()
        this.#pump()
      })
    }
    this.#options.call(tool, input).then(
      (json) => settle("resolve", () => context.newString(json)),
      (error: unknown) =>
        settle("reject", () =>
          context.newError({ name: "ToolError", message: error instanceof Error ? error.message : String(error) }),
        ),
    )
    return deferred.handle
  }

  /** Lets the script work: the time it takes is its own. */
  #enter(work: () => void): void {
    this.#enteredAtMs = this.#options.now()
    try {
      work()
    } catch (error) {
      this.#trapped ||= !RouseError.is(error)
      this.#fail(RouseError.is(error) ? error : refused("it needs more stack than there is"))
    } finally {
      this.#cpuMs += this.#options.now() - this.#enteredAtMs
    }
    // The engine lets a promise swallow what stops a script.
    if (this.#stopped !== undefined) this.#fail(refused(this.#stopped))
  }

  #pump(): void {
    while (!this.#isDone && !this.#mustStop()) {
      const result = this.#runtime.executePendingJobs(JOBS_MAX)
      if (result.error !== undefined) {
        const thrown = this.#thrown(result.error)
        result.error.dispose()
        throw thrown
      }
      if (result.value < JOBS_MAX) return
    }
  }

  #mustStop(): boolean {
    const { limits, now, signal } = this.#options
    const nowMs = now()
    if (this.#cpuMs + nowMs - this.#enteredAtMs > limits.cpuMs)
      this.#stopped = `it worked longer than ${limits.cpuMs} ms`
    else if (nowMs > this.#endsAtMs) this.#stopped = `it took longer than ${limits.timeoutMs} ms`
    return this.#stopped !== undefined || signal.aborted
  }

  #evaluate(source: string, file: string): QuickJSHandle {
    return this.#check(this.#context.evalCode(source, file))
  }

  #check(result: ReturnType<QuickJSContext["evalCode"]>): QuickJSHandle {
    if (result.error === undefined) return result.value
    const thrown = this.#thrown(result.error)
    result.error.dispose()
    throw thrown
  }

  /** From within the script: what goes wrong here is ours, and never an exception that the script could catch. */
  #end(work: () => void): undefined {
    try {
      work()
    } catch (error) {
      this.#fail(asError(error))
    }
  }

  #output(json: QuickJSHandle): string {
    const text = this.#context.getString(json)
    const { outputCharsMax } = this.#options.limits
    if (text.length > outputCharsMax)
      throw refused(`it returned ${text.length} characters, and ${outputCharsMax} are allowed`)
    return text
  }

  #thrown(handle: QuickJSHandle): Error {
    if (this.#stopped !== undefined) return refused(this.#stopped)
    return refused(codeFailure(this.#context.dump(handle), this.#options.limits.memoryBytes))
  }

  #done(json: string): void {
    if (this.#stopped === undefined) this.#settle?.resolve(json)
    this.#isDone = true
  }

  #fail(error: Error): void {
    this.#settle?.reject(error)
    this.#isDone = true
  }
}

const MESSAGE_CHARS_MAX = 2_000

function refused(message: string): RouseError {
  return new RouseError("BACKEND_REFUSED", message.slice(0, MESSAGE_CHARS_MAX))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : refused(String(error))
}
