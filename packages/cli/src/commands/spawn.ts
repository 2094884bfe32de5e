import type { Budget } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseJsonObject, parseSpawnTarget } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface SpawnFlags extends RemoteOptions {
  readonly args?: string
  readonly tag: Readonly<Record<string, string>>
  readonly message?: string
  readonly budget?: Budget
}

/** `rouse spawn <type|/type/id>` */
export async function spawn(target: string, flags: SpawnFlags, io: Io): Promise<void> {
  const { type, id } = parseSpawnTarget(target)
  const args = flags.args === undefined ? undefined : parseJsonObject("--args", flags.args)
  const input = {
    ...(args === undefined ? {} : { args }),
    ...(Object.keys(flags.tag).length === 0 ? {} : { tags: flags.tag }),
    ...(flags.message === undefined ? {} : { message: flags.message }),
    ...(flags.budget === undefined ? {} : { budget: flags.budget }),
  }
  const client = connect(flags, io)
  const spawned = await client.spawn(type, id, input, { signal: io.stop })
  io.out(flags.json === true ? `${JSON.stringify(spawned)}\n` : `${spawned.entity.url}\n`)
}
