import { RouseError } from "@rouse/protocol"
import { emptyBatch } from "./batch.ts"
import type { Batch } from "./batch.ts"

/**
 * Whose changes these are. The handler's own go straight into the next commit, numbered, so that a retried handler does not
 * make them again. Those of a tool or a `ctx.step` are held until it is done, and are written together with its result: either
 * both are on the log, or it runs again and makes them again.
 */
export class Scope {
  /** Unique within the wake. */
  readonly id: string
  /** Its result is settled: what it would still change comes too late. */
  closed = false
  /** Sends and spawns so far. */
  ordinal = 0
  // Made when they are needed: few handlers hold or name anything, and thousands may be in flight.
  #held: Batch | undefined
  #undo: (() => void)[] | undefined
  #steps: Map<string, number> | undefined

  constructor(id: string) {
    this.id = id
  }

  get held(): Batch {
    return (this.#held ??= emptyBatch())
  }

  /** Takes the changes back in the view of the rows: what throws has changed nothing. Last first. */
  get undo(): (() => void)[] {
    return (this.#undo ??= [])
  }

  /** How often each name was used for a step. */
  get steps(): Map<string, number> {
    return (this.#steps ??= new Map())
  }
}

/** Takes a scope's changes back, and refuses later ones. */
export function rollBack(scope: Scope): void {
  scope.closed = true
  for (const undo of scope.undo.splice(0).toReversed()) undo()
}

interface Storage {
  run<T>(store: Scope, fn: () => T): T
  getStore(): Scope | undefined
}

/**
 * Follows a scope over awaits. With the runtime's async context (Node, Bun, Deno, Workers with `nodejs_compat`) it is exact;
 * without, changes made while scopes overlap count for the one entered last.
 */
export class Scopes {
  readonly #storage: Storage | undefined = sharedStorage()
  readonly #mine = new WeakSet<Scope>()
  readonly #entered: Scope[] = []

  /** @throws {RouseError} `CONFLICT` in a tool or step that is over. */
  get current(): Scope | undefined {
    const scope = this.#storage ? this.#storage.getStore() : this.#entered.at(-1)
    // A wake that another one's tool set off runs in that tool's async context: its scope is not ours.
    if (scope === undefined || !this.#mine.has(scope)) return undefined
    if (!scope.closed) return scope
    throw new RouseError("CONFLICT", "this tool or step is over: it can change nothing any more")
  }

  async within<T>(scope: Scope, fn: () => T | Promise<T>): Promise<T> {
    this.#mine.add(scope)
    this.#entered.push(scope)
    try {
      return await (this.#storage ? this.#storage.run(scope, fn) : fn())
    } catch (error) {
      rollBack(scope)
      throw error
    } finally {
      this.#entered.splice(this.#entered.indexOf(scope), 1)
    }
  }
}

/** Null where the runtime has none. */
let storage: Storage | null | undefined

/** One for the process, so that wakes which set off each other do not pile up contexts. */
function sharedStorage(): Storage | undefined {
  storage ??= newStorage() ?? null
  return storage ?? undefined
}

function newStorage(): Storage | undefined {
  const { process } = globalThis as {
    readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
  }
  const module = process?.getBuiltinModule?.("node:async_hooks") as
    | { readonly AsyncLocalStorage?: new () => Storage }
    | undefined
  return module?.AsyncLocalStorage && new module.AsyncLocalStorage()
}
