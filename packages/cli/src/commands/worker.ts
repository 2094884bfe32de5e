import { createWorker } from "@rouse/agents"
import { serverUrl } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import type { ExitCode } from "../core/failure.ts"
import { stopped } from "../host/stopped.ts"
import { terminalLog } from "../host/terminal-log.ts"
import type { Io } from "../io.ts"

export interface WorkerFlags extends RemoteOptions {
  readonly as?: string
  readonly capacity: number
  readonly name?: string
}

/** `rouse worker [files…]`: until SIGTERM or SIGINT. */
export async function worker(named: readonly string[], flags: WorkerFlags, io: Io): Promise<ExitCode> {
  const [{ loadProject }, { outboundFetch }, { secretsFrom }] = await Promise.all([
    import("../host/project.ts"),
    import("../host/outbound-fetch.ts"),
    import("../host/secrets.ts"),
  ])
  const { entities } = await loadProject(named, io.cwd)
  const server = serverUrl(flags, io)
  const running = createWorker({
    entities: entities.values(),
    server,
    env: io.env,
    secrets: secretsFrom(io.env),
    outbound: outboundFetch(),
    capacity: flags.capacity,
    log: terminalLog(io),
    ...(flags.as === undefined ? {} : { version: flags.as }),
    ...(flags.name === undefined ? {} : { name: flags.name }),
  })
  const types = [...entities.keys()]
  if (flags.json === true) io.out(`${JSON.stringify({ server, types, pid: process.pid })}\n`)
  else io.out(`${io.color.green("●")} asks ${server} for wakes of ${io.color.bold(types.join(", "))}\n`)
  await Promise.race([stopped(io.stop), running.done])
  if (io.outIsTty) io.out(`\n${io.color.dim("stopping; what does not come to an end goes on elsewhere")}\n`)
  await running.stop()
  return 0
}
