import { RouseError } from "@rouse/protocol"
import { isSecret } from "../secrets/secret.ts"
import type { Secret } from "../secrets/secret.ts"

/** What finds the values of secrets: the handler's `ctx` is one. */
export interface SecretSource {
  secret(wanted: Secret): Promise<string>
}

/**
 * A secret by reference, so that its value is nowhere in the agent's definition, its log or its arguments: its name, or a function that is
 * asked each time. A string is the value itself, for what is not secret.
 */
export type Credential = string | Secret | (() => string | Promise<string>)

/**
 * The value, now.
 *
 * @throws {RouseError} `INVALID_ARGS` for a name when there is no source to ask.
 */
export async function valueOf(credential: Credential, secrets: SecretSource | undefined): Promise<string> {
  if (typeof credential === "string") return credential
  if (typeof credential === "function") return await credential()
  if (secrets !== undefined) return await secrets.secret(credential)
  throw new RouseError(
    "INVALID_ARGS",
    `the secret ${credential.name} cannot be found: give mcpTools ctx as its second argument`,
  )
}

/** The values of a record, now. */
export async function valuesOf(
  record: Readonly<Record<string, Credential>>,
  secrets: SecretSource | undefined,
): Promise<Record<string, string>> {
  const entries = Object.entries(record).map(async ([name, value]) => [name, await valueOf(value, secrets)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const ids = new WeakMap<object, number>()
let nextId = 1

/** A number of its own for each object, for as long as it lives. */
export function idOf(object: object): number {
  const id = ids.get(object) ?? nextId++
  ids.set(object, id)
  return id
}

/** A text that is the same for the same configuration. Values that are functions count by identity. */
export function keyOf(configuration: unknown): string {
  return JSON.stringify(configuration, function (this: Readonly<Record<string, unknown>>, name, shown: unknown) {
    const value = this[name]
    if (isSecret(value)) return `${value.toString()} ${value.resolver ? idOf(value.resolver) : ""}`
    return typeof shown === "function" ? `function ${idOf(shown)}` : shown
  })
}
