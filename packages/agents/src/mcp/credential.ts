import { RouseError } from "@rouse/protocol"

/** A secret by its name: what `secret("NAME")` makes. */
export interface SecretReference {
  readonly kind: "secret"
  readonly name: string
}

/** What finds the values of secrets. */
export interface SecretSource {
  secret(wanted: SecretReference): Promise<string>
}

/**
 * A secret by reference, so that its value is nowhere in the agent's definition, its log or its arguments: its name, or a function that is
 * asked each time. A string is the value itself, for what is not secret.
 */
export type Credential = string | SecretReference | (() => string | Promise<string>)

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
    `the secret ${credential.name} cannot be found: give mcpTools what finds it as its second argument`,
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
  return JSON.stringify(configuration, (_, value: unknown) =>
    typeof value === "function" ? `function ${idOf(value)}` : value,
  )
}
