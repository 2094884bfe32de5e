import type { Client } from "@rouse/client"
import { RouseError } from "@rouse/protocol"
import type { EntityUrl } from "@rouse/protocol"
import type { RemoteOptions } from "../connect.ts"
import type { Io } from "../io.ts"

/** Does it; when the agent is not there yet, makes it first, unless its type needs arguments. */
export async function orSpawn<T>(
  client: Client,
  url: EntityUrl,
  type: string,
  flags: RemoteOptions,
  io: Io,
  attempt: () => Promise<T>,
): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!RouseError.is(error, "UNKNOWN_ENTITY")) throw error
    await spawnWithoutArgs(client, url, type, io)
    if (flags.json !== true && io.errIsTty) io.err(`${io.errColor.dim(`spawned ${url}`)}\n`)
    return attempt()
  }
}

async function spawnWithoutArgs(client: Client, url: EntityUrl, type: string, io: Io): Promise<void> {
  try {
    await client.spawn(url, {}, { signal: io.stop })
  } catch (error) {
    if (RouseError.is(error, "ALREADY_EXISTS")) return
    if (!RouseError.is(error, "INVALID_ARGS")) throw error
    throw new RouseError(
      "UNKNOWN_ENTITY",
      `there is no ${url}, and ${type} needs arguments (${error.message}): rouse spawn ${url} --args '{…}', then send`,
      { cause: error },
    )
  }
}
