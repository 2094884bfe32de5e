import type { Json, Receipt } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import { isPassing } from "../core/problem.ts"
import type { DelayedSendOptions } from "../messages.ts"
import type { SpawnInput } from "../spawn.ts"

/** Sends a message; to an agent that is not there, once it was made. */
export async function deliver(
  client: Client,
  url: string,
  content: Json,
  options: DelayedSendOptions,
  spawn: SpawnInput | undefined,
): Promise<Receipt> {
  try {
    return await client.send(url, content, options)
  } catch (error) {
    if (spawn === undefined || !isMissing(error)) throw error
    await client.spawn(url, spawn)
    return client.send(url, content, options)
  }
}

/** The agent is not there (yet). */
export function isMissing(error: unknown): boolean {
  return !isPassing(error) && (RouseError.is(error, "UNKNOWN_ENTITY") || RouseError.is(error, "UNKNOWN_STREAM"))
}
