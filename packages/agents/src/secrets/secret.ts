import { RouseError } from "@rouse/protocol"
import { processEnv } from "../env.ts"
import type { Env } from "../env.ts"

/** Finds the value of a secret by its name. Undefined: it knows none. */
export type SecretResolver = (name: string) => string | undefined | Promise<string | undefined>

/**
 * A secret by its name. It holds no value: that is resolved where a tool runs, when it runs. Written as text or JSON it shows its name.
 */
export interface Secret {
  readonly kind: "secret"
  readonly name: string
  /** Asked instead of the host's resolver. */
  readonly resolver: SecretResolver | undefined
  toString(): string
  toJSON(): string
}

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/

/**
 * Names a secret: `secret("PAYMENTS_KEY")`. The host resolves it (`rouse dev` and `rouse start`: from the environment), or the resolver
 * given here does.
 *
 * @throws {RouseError} `INVALID_ARGS` for a name that is none.
 * @see docs/secrets.md
 */
export function secret(name: string, resolver?: SecretResolver): Secret {
  checkName(name)
  const shown = `[secret ${name}]`
  return { kind: "secret", name, resolver, toString: () => shown, toJSON: () => shown }
}

export function isSecret(value: unknown): value is Secret {
  return (
    typeof value === "object" && value !== null && "kind" in value && value.kind === "secret" && "resolver" in value
  )
}

/** Secrets from environment variables: the process's when `env` is absent. */
export function envSecrets(env?: Env): SecretResolver {
  return (name) => (env ?? processEnv())[name]
}

/**
 * Secrets from the files of a directory, each named as its secret, as orchestrators mount them. Read anew each time; a line break at the
 * end is no part of the value.
 *
 * @throws {RouseError} `SECRET_MISSING` (from the resolver) where the runtime has no files.
 */
export function fileSecrets(directory: string): SecretResolver {
  return async (name) => {
    checkName(name)
    const files = fileSystem()
    if (files === undefined) throw new RouseError("SECRET_MISSING", `secret ${name}: this runtime has no files`)
    try {
      return (await files.readFile(`${directory}/${name}`, "utf8")).replace(/\r?\n$/, "")
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined
      throw error
    }
  }
}

/** Asks one resolver after the other. */
export function firstSecret(...resolvers: readonly SecretResolver[]): SecretResolver {
  return async (name) => {
    for (const resolver of resolvers) {
      const value = await resolver(name)
      if (value !== undefined) return value
    }
    return undefined
  }
}

function checkName(name: unknown): void {
  if (typeof name === "string" && NAME.test(name)) return
  throw new RouseError("INVALID_ARGS", `secret: ${JSON.stringify(name)} is not a name: letters, digits and _.- only`, {
    details: { field: "name" },
  })
}

interface FileSystem {
  readFile(path: string, encoding: "utf8"): Promise<string>
}

function fileSystem(): FileSystem | undefined {
  const { process } = globalThis as { readonly process?: { readonly getBuiltinModule?: (name: string) => unknown } }
  return process?.getBuiltinModule?.("node:fs/promises") as FileSystem | undefined
}
