export type Env = Readonly<Record<string, string | undefined>>

const NONE: Env = {}

/** The process's environment, where the runtime has one. */
export function processEnv(): Env {
  const { process } = globalThis as { readonly process?: { readonly env?: Env } }
  return process?.env ?? NONE
}

const SECRET_NAME = /(_API_KEY|_TOKEN|_SECRET|_PASSWORD)$/

const known = new WeakMap<Env, readonly string[]>()

/** Values of the environment that must never be on a log. */
export function secretsOf(env: Env): readonly string[] {
  let secrets = known.get(env)
  if (secrets === undefined) {
    secrets = Object.entries(env).flatMap(([name, value]) => (value && SECRET_NAME.test(name) ? [value] : []))
    known.set(env, secrets)
  }
  return secrets
}
