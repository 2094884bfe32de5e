import type { Budget, Offset } from "@rouse/protocol"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface ForkFlags extends RemoteOptions {
  readonly at?: string
  readonly id?: string
  readonly tree?: boolean
  readonly message?: string
  readonly run?: boolean
  readonly tag: Readonly<Record<string, string>>
  readonly budget?: Budget
  readonly schedules?: boolean
}

/** `rouse fork </type/id>`. Prints the fork's address; with `--json`: the answer. */
export async function fork(address: string, flags: ForkFlags, io: Io): Promise<void> {
  const { at, id, tree, message, run, tag, budget, schedules } = flags
  const forked = await connect(flags, io).fork(
    parseAddress(address).url,
    {
      ...(at === undefined ? {} : { at: at as Offset }),
      ...(id === undefined ? {} : { id }),
      ...(tree ? { tree } : {}),
      ...(message === undefined ? {} : { message }),
      ...(run ? { run } : {}),
      ...(Object.keys(tag).length === 0 ? {} : { tags: tag }),
      ...(budget === undefined ? {} : { budget }),
      ...(schedules ? { schedules } : {}),
    },
    { signal: io.stop },
  )
  if (flags.json === true) return io.out(`${JSON.stringify(forked)}\n`)
  const others = Object.entries(forked.forks).filter(([, url]) => url !== forked.entity.url)
  io.out(`${forked.entity.url}\n`)
  for (const [from, url] of others) io.out(`${io.color.dim(`${from} →`)} ${url}\n`)
}
