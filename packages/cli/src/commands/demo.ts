import { createClient } from "@rouse/client"
import { RouseError } from "@rouse/protocol"
import { existsSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { DEFAULT_HOST, DEFAULT_PORT, OFFLINE_MODEL } from "../core/defaults.ts"
import type { ExitCode } from "../core/failure.ts"
import { MODEL_KEYS } from "../core/model-keys.ts"
import { withStore } from "../host/data.ts"
import { followDebate } from "../host/debate.ts"
import type { DebateOutcome } from "../host/debate.ts"
import { hostServer } from "../host/host-server.ts"
import type { Hosted } from "../host/host-server.ts"
import { isPortFree } from "../host/port.ts"
import { loadProject } from "../host/project.ts"
import { stopped } from "../host/stopped.ts"
import { terminalLog } from "../host/terminal-log.ts"
import type { Io } from "../io.ts"
import { duration } from "../output/relative-time.ts"

export interface DemoFlags {
  readonly once?: boolean
  readonly topic: string
  readonly port?: number
  readonly data?: string
  readonly json?: boolean
}

/** The offline model waits this long between words, so that a person sees who speaks when. */
const ECHO_MS = "30"
const ECHO_ONCE_MS = "10"

/** `rouse demo`: a debate between agents on the offline model. Exits 1 with `--once` when the debate did not finish. */
export async function demo(flags: DemoFlags, io: Io): Promise<ExitCode> {
  const file = exampleFile()
  const offline: Io = {
    ...io,
    env: {
      ROUSE_ECHO_MS: flags.once === true ? ECHO_ONCE_MS : ECHO_MS,
      ...withoutKeys(io.env),
      ROUSE_DATABASE_URL: undefined,
    },
  }
  const { entities } = await loadProject([file], io.cwd)
  const isTemporary = flags.data === undefined
  const directory = isTemporary ? await mkdtemp(join(tmpdir(), "rouse-demo-")) : resolve(io.cwd, flags.data)
  try {
    const port = await choosePort(flags)
    const options = {
      entities: entities.values(),
      host: DEFAULT_HOST,
      port,
      log: terminalLog(io),
      fallbackModel: OFFLINE_MODEL,
      isPrivateAllowed: true,
    }
    const hosted = await withStore(directory, offline, (store) => hostServer({ ...options, store }, offline))
    try {
      return await present(hosted, flags, offline)
    } finally {
      await hosted.close()
    }
  } finally {
    if (isTemporary) await rm(directory, { recursive: true, force: true })
  }
}

async function present(hosted: Hosted, flags: DemoFlags, io: Io): Promise<ExitCode> {
  const { bold, cyan, dim, green } = io.color
  const isJson = flags.json === true
  io.out(
    isJson
      ? `${JSON.stringify({ kind: "ready", url: hosted.url, pid: process.pid })}\n`
      : `\n${green("●")} ${bold("rouse demo")}  ${cyan(hosted.url)}\n\n`,
  )
  const client = createClient({ url: hosted.url, random: io.random, newKey: io.uuid })
  const outcome = await followDebate(client, { topic: flags.topic, json: isJson }, io)
  if (outcome === undefined) return flags.once === true ? 130 : 0
  if (isJson) io.out(`${JSON.stringify({ kind: "summary", ...outcome })}\n`)
  else io.out(`\n${verdict(outcome, io)}: ${summaryText(outcome)}\n`)
  if (flags.once === true) return outcome.problem === undefined ? 0 : 1
  if (!isJson) io.out(`\n${dim(`the page goes on at ${hosted.url}, press Ctrl-C to stop`)}\n`)
  await stopped(io.stop)
  return 0
}

function verdict({ problem }: DebateOutcome, { color }: Io): string {
  if (problem === undefined) return color.green("✓ the debate is over")
  return color.red(`✗ the debate did not finish: ${problem}`)
}

function summaryText(outcome: DebateOutcome): string {
  const { agents, messages, steps, toolCalls, inputTokens, outputTokens } = outcome.summary
  return [
    `${agents} agents`,
    `${messages} messages`,
    `${steps} steps`,
    `${toolCalls} tool calls`,
    `${inputTokens + outputTokens} tokens`,
    duration(outcome.ms),
  ].join(", ")
}

/**
 * The port that was asked for; else the default one, or any free one where that is taken or the demo ends by itself.
 */
async function choosePort(flags: DemoFlags): Promise<number> {
  if (flags.port !== undefined) return flags.port
  return flags.once !== true && (await isPortFree(DEFAULT_PORT)) ? DEFAULT_PORT : 0
}

/** The debate, in the examples beside the packages. */
function exampleFile(): string {
  const file = fileURLToPath(new URL("../../../../examples/debate.ts", import.meta.url))
  if (existsSync(file)) return file
  throw new RouseError("NOT_FOUND", `the demo needs ${file}, which is not here: run it in a clone of the repository`)
}

function withoutKeys(env: Io["env"]): Io["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !MODEL_KEYS.includes(name)))
}
