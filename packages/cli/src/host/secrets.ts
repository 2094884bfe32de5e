import { envSecrets, fileSecrets, firstSecret } from "@rouse/agents"
import type { SecretResolver } from "@rouse/agents"
import type { Io } from "../io.ts"

/** From the files of a directory, where one is named, and then from the environment. */
export function secretsFrom(env: Io["env"]): SecretResolver {
  const directory = env["ROUSE_SECRETS_DIR"]
  return directory ? firstSecret(fileSecrets(directory), envSecrets(env)) : envSecrets(env)
}
