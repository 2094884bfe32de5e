import type { Store } from "@rouse/store"
import type { RetentionRule } from "@rouse/streams"
import { resolve } from "node:path"
import { DEFAULT_HOST, OFFLINE_MODEL } from "../core/defaults.ts"
import { explain } from "../core/failure.ts"
import type { ExitCode } from "../core/failure.ts"
import { modelKeysSeen } from "../core/model-keys.ts"
import { onCrash } from "../host/crash.ts"
import { withStore } from "../host/data.ts"
import type { ProjectModules } from "../host/hooks.ts"
import type { Hosted } from "../host/host-server.ts"
import type { Project } from "../host/project.ts"
import type { Reloader } from "../host/reload.ts"
import { stopped } from "../host/stopped.ts"
import { terminalLog } from "../host/terminal-log.ts"
import type { Io } from "../io.ts"
import { banner } from "../output/banner.ts"
import { version } from "../version.ts"

export interface DevFlags {
  readonly port: number
  readonly data: string
  readonly rateLimit?: number
  readonly pgSource?: readonly string[]
  readonly retention?: readonly RetentionRule[]
  readonly allowLoopbackWebhooks?: boolean
  readonly json?: boolean
}

/** The offline model waits this long between words, so that a person sees it stream. */
const ECHO_MS = "15"

/** `rouse dev [files…]`: until it is stopped. */
export async function dev(named: readonly string[], flags: DevFlags, io: Io): Promise<ExitCode> {
  const { project, hosted } = await withStore(resolve(io.cwd, flags.data), io, (store) =>
    serve(named, flags, store, io),
  )
  const reloader = await startReloader(named, project.modules, hosted, io)
  try {
    await reloader.start(project.directories)
    announce([...project.entities.keys()], flags, hosted, io)
    await stopped(io.stop)
    if (io.outIsTty) io.out(`\n${io.color.dim("stopping; what runs goes on at the next start")}\n`)
    return 0
  } finally {
    await reloader.close()
    await hosted.close()
  }
}

interface Serving {
  readonly project: Project
  readonly hosted: Hosted
}

async function serve(named: readonly string[], flags: DevFlags, store: Promise<Store>, io: Io): Promise<Serving> {
  const [{ loadProject }, { hostServer }] = await Promise.all([
    import("../host/project.ts"),
    import("../host/host-server.ts"),
  ])
  const project = await loadProject(named, io.cwd)
  const log = terminalLog(io)
  const options = {
    ...flags,
    entities: project.entities.values(),
    store,
    host: DEFAULT_HOST,
    allowLoopbackHandlers: true,
    log,
    fallbackModel: OFFLINE_MODEL,
    isPrivateAllowed: true,
  }
  const hosted = await hostServer(options, { ...io, env: { ROUSE_ECHO_MS: ECHO_MS, ...io.env } })
  onCrash(log)
  return { project, hosted }
}

function announce(types: readonly string[], flags: DevFlags, hosted: Hosted, io: Io): void {
  const { url, hasPage, resumed } = hosted
  if (flags.json === true) {
    io.out(`${JSON.stringify({ url, data: resolve(io.cwd, flags.data), types, pid: process.pid })}\n`)
    return
  }
  const keys = modelKeysSeen(io.env)
  io.out(banner({ version: version(), url, data: flags.data, types, keys, page: hasPage, resumed }, io.color))
}

async function startReloader(
  named: readonly string[],
  modules: ProjectModules,
  hosted: Hosted,
  io: Io,
): Promise<Reloader> {
  const { Reloader } = await import("../host/reload.ts")
  const { green, red, dim, bold } = io.errColor
  let said = ""
  return new Reloader({
    modules,
    cwd: io.cwd,
    named,
    loaded(definitions) {
      hosted.server.replaceEntities(definitions.values())
      said = ""
      io.err(`${green("↻")} loaded again: ${bold([...definitions.keys()].join(", "))}\n`)
    },
    failed(error) {
      const { line } = explain(error, hosted.url)
      if (line !== said) io.err(`${red("✗")} ${line} ${dim("(the code before it stays in service)")}\n`)
      said = line
    },
  })
}
