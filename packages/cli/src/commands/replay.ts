import type { EntityDefinition } from "@rouse/agents/runtime"
import type { Missing, ReplayResult, SessionRecording } from "@rouse/agents/testing"
import { type ChangeEvent, RouseError, START } from "@rouse/protocol"
import { readFile, writeFile } from "node:fs/promises"
import { resolve } from "node:path"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import { type ExitCode, usage } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { replayText } from "../output/replay-text.ts"

export interface ReplayFlags extends RemoteOptions {
  readonly handler: readonly string[]
  readonly model?: string
  readonly at?: string
  readonly missing: Missing
  readonly save?: string
}

/** `rouse replay </type/id | file.json>`. Fails when the session went otherwise. With `--json`: the result. */
export async function replay(what: string, flags: ReplayFlags, io: Io): Promise<ExitCode> {
  const { replaySession } = await import("@rouse/agents/testing")
  const recording = await recordingOf(what, flags, io)
  if (flags.save !== undefined) {
    await writeFile(resolve(io.cwd, flags.save), `${JSON.stringify(recording, null, 2)}\n`)
    io.err(`${io.errColor.dim(`saved ${flags.save}: ${recording.runs.length} runs`)}\n`)
    if (flags.handler.length === 0 && flags.model === undefined) return 0
  }
  const { model, missing } = flags
  const result = await replaySession(recording, {
    entities: await handlersOf(flags.handler, io),
    env: io.env,
    missing,
    ...(model === undefined ? {} : { model }),
  })
  io.out(flags.json === true ? `${JSON.stringify(result)}\n` : text(result, io))
  return result.same ? 0 : 1
}

function text(result: ReplayResult, io: Io): string {
  return replayText(result, io.color, io.columns())
}

async function recordingOf(what: string, flags: ReplayFlags, io: Io): Promise<SessionRecording> {
  if (!what.endsWith(".json")) return recorded(what, flags, io)
  const file = await readFile(resolve(io.cwd, what), "utf8")
  try {
    return JSON.parse(file) as SessionRecording
  } catch (error) {
    throw usage(`${what} is not JSON: ${(error as Error).message}`)
  }
}

async function recorded(address: string, flags: ReplayFlags, io: Io): Promise<SessionRecording> {
  const { recordSession } = await import("@rouse/agents/testing")
  const client = connect(flags, io)
  const events: ChangeEvent[] = []
  let isThere = flags.at === undefined
  for await (const batch of client.observe(parseAddress(address).url, { from: START, live: false, signal: io.stop })) {
    events.push(...batch.events)
    if (batch.offset !== flags.at) continue
    isThere = true
    break
  }
  if (!isThere) throw new RouseError("BAD_OFFSET", `--at: ${flags.at} is not where a batch of the log ends`)
  return recordSession(events)
}

async function handlersOf(named: readonly string[], io: Io): Promise<readonly EntityDefinition[]> {
  const { loadProject } = await import("../host/project.ts")
  const { entities } = await loadProject(named, io.cwd)
  return [...entities.values()]
}
