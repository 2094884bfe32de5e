import { RouseError } from "@rouse/protocol"
import { redact } from "../core/provider-error.ts"
import { REDACTED, Redactor } from "../core/redactor.ts"
import { processEnv, secretsOf } from "../env.ts"
import type { Host } from "../host.ts"
import type { Log } from "../log.ts"
import { secret } from "./secret.ts"
import type { Secret } from "./secret.ts"

/** A shorter value cannot be told from ordinary text, and is refused. */
export const SECRET_CHARS_MIN = 8
/** Values of the environment that look like keys by their variable's name are taken out of everything from this length on. */
const INFERRED_CHARS_MIN = 16
/** Values that one host remembers: with more, the one that was resolved least recently is forgotten. */
const VALUES_MAX = 4_096

/**
 * Owns the secret values that a host has seen, and takes them out of whatever its sessions write (P8).
 *
 * Invariants:
 * 1. A value is known here before whoever asked for it has it.
 * 2. Values leave by `resolve` alone.
 */
export class Vault {
  readonly #host: Host
  /** In the order of their last use. */
  readonly #values = new Set<string>()
  readonly #inferred: readonly string[]
  #clean = new WeakSet<object>()
  #redactor: Redactor

  constructor(host: Host) {
    this.#host = host
    this.#inferred = secretsOf(host.env ?? processEnv())
    this.#redactor = this.#make()
  }

  /**
   * The value of a secret, now.
   *
   * @throws {RouseError} `SECRET_MISSING` naming the secret: nobody knows it, its resolver failed, or it is too short.
   */
  async resolve(wanted: Secret | string): Promise<string> {
    const { name, resolver } = typeof wanted === "string" ? secret(wanted) : wanted
    const value = await this.#ask(name, resolver)
    if (typeof value !== "string" || value === "") {
      throw new RouseError("SECRET_MISSING", `secret ${name} is not set: it is resolved where the handler runs`)
    }
    if (value.length < SECRET_CHARS_MIN) {
      throw new RouseError("SECRET_MISSING", `secret ${name} is shorter than ${SECRET_CHARS_MIN} characters`)
    }
    this.add(value)
    return value
  }

  /** Takes a value, such as a token that a secret was exchanged for, out of everything from now on. */
  add(value: string): void {
    if (value.length < SECRET_CHARS_MIN) return
    const isNew = !this.#values.delete(value)
    this.#values.add(value)
    if (!isNew) return
    this.#clean = new WeakSet()
    if (this.#values.size > VALUES_MAX) this.#values.delete(this.#values.values().next().value ?? "")
    this.#redactor = this.#make()
  }

  get redactor(): Redactor {
    return this.#redactor
  }

  text(text: string): string {
    return this.#redactor.text(text)
  }

  /** A JSON value without secrets. What this returned is not searched again. */
  value<T>(value: T): T {
    if (this.#redactor.isEmpty) return value
    if (typeof value !== "object" || value === null) return this.#redactor.value(value)
    if (this.#clean.has(value)) return value
    const clean = this.#redactor.value(value)
    this.#clean.add(clean)
    return clean
  }

  /** For words of others, such as a provider's: also short keys, and what looks like a key. */
  strictText(text: string): string {
    return redact(this.text(text), this.#inferred)
  }

  /** The same error, without secrets in its words, its stack and its causes. */
  error(error: unknown, depth = 0): unknown {
    if (typeof error === "string") return this.text(error)
    if (!(error instanceof Error) || depth > 8) return error
    for (const field of ["message", "stack"] as const) {
      const text = error[field]
      const clean = text === undefined ? undefined : this.text(text)
      if (clean !== text) Object.defineProperty(error, field, { value: clean, configurable: true, writable: true })
    }
    if (error.cause !== undefined) {
      const cause = this.error(error.cause, depth + 1)
      if (cause !== error.cause) error.cause = cause
    }
    return error
  }

  /** The host's log, for handlers and tools: without secrets. */
  log(log: Log): Log {
    const wrap =
      (level: keyof Log): Log["info"] =>
      (message, facts) =>
        facts === undefined ? log[level](this.text(message)) : log[level](this.text(message), this.#facts(facts))
    return { debug: wrap("debug"), info: wrap("info"), warn: wrap("warn"), error: wrap("error") }
  }

  async #ask(name: string, resolver: Secret["resolver"]): Promise<unknown> {
    try {
      if (resolver !== undefined) return await resolver(name)
      const { secrets, env } = this.#host
      return secrets === undefined ? (env ?? processEnv())[name] : await secrets(name)
    } catch (error) {
      if (RouseError.is(error, "SECRET_MISSING")) throw error
      // What a resolver says may hold anything.
      throw new RouseError("SECRET_MISSING", `secret ${name} could not be resolved: its resolver failed`)
    }
  }

  #facts(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      Object.entries(facts).map(([name, fact]) => [
        this.text(name),
        fact instanceof Error ? this.text(fact.stack ?? fact.message) : this.#loggable(fact),
      ]),
    )
  }

  /** Logs take more than JSON; what cannot be searched is not shown. */
  #loggable(fact: unknown): unknown {
    if (this.#redactor.isEmpty || typeof fact !== "object" || fact === null) return this.#redactor.value(fact)
    try {
      return this.#redactor.value(JSON.parse(JSON.stringify(fact)) as unknown)
    } catch {
      // A cycle, or a big integer.
      return REDACTED
    }
  }

  #make(): Redactor {
    return new Redactor([...this.#inferred.filter((value) => value.length >= INFERRED_CHARS_MIN), ...this.#values])
  }
}

const vaults = new WeakMap<Host, Vault>()

/** The one vault of a host. */
export function vaultOf(host: Host): Vault {
  let vault = vaults.get(host)
  if (vault === undefined) {
    vault = new Vault(host)
    vaults.set(host, vault)
  }
  return vault
}

/** A host's own log, without the secrets that its agents resolve. */
export function redactedLog(host: Host): Log {
  return vaultOf(host).log(host.log)
}

/** Takes secrets out of what others say. */
export interface Redaction {
  /** The same reference when it holds none. */
  value<T>(value: T): T
}

/** Takes the secrets that a host knows by now out of what its handlers did not write themselves. */
export function redactionOf(host: Host): Redaction {
  const vault = vaultOf(host)
  return { value: (value) => vault.redactor.value(value) }
}
