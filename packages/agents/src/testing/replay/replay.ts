import type { LanguageModelV4 } from "@ai-sdk/provider"
import { parseEntityUrl, RouseError } from "@rouse/protocol"
import type { HandlerCommit, Json } from "@rouse/protocol"
import type { EntityDefinition } from "../../entity.ts"
import type { ModelResolver } from "../../host.ts"
import { silentLog } from "../../log.ts"
import { modelResolver } from "../../models.ts"
import { registeredEntities } from "../../registry.ts"
import { type Script, scriptedModel } from "../model.ts"
import { TestRouse } from "../rouse.ts"
import { diffSessions, type RunDiff } from "./diff.ts"
import { recordSession, type SessionRecording } from "./recording.ts"
import { type Missing, type MissingCall, RecordedWorld } from "./world.ts"

export interface ReplayOptions {
  /** The handlers to try. Everything that `defineEntity` registered when absent. */
  readonly entities?: Iterable<EntityDefinition>
  /**
   * Who answers: `recorded` (when absent) says again what the model said then; a name or a model answers anew; `handler` is whatever the
   * handler asks for.
   */
  readonly model?: "recorded" | "handler" | LanguageModelV4 | (string & {})
  /** Calls that the recording does not have: `unknown` when absent. */
  readonly missing?: Missing
  /** For keys of models. None when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

export interface ReplayResult {
  /** Whether every run ended as it did, with the same reply and the same calls. */
  readonly same: boolean
  readonly runs: readonly RunDiff[]
  /** Calls and steps that the recording does not have. */
  readonly missing: readonly MissingCall[]
  /** What the handler would have sent, spawned, forked and scheduled: nothing of it was done. */
  readonly effects: readonly Effect[]
  /** The session as it went this time. */
  readonly recording: SessionRecording
}

export interface Effect {
  readonly kind: "send" | "spawn" | "fork" | "schedule"
  readonly what: Json
}

/**
 * Runs a session again, in memory, with other handlers, prompts or models, and tells what is different. The world is not touched: tools and
 * `ctx.step`s are answered from the recording, sends and spawns go nowhere. What a handler does by itself, outside of both, is its own.
 *
 * @throws {RouseError} `UNKNOWN_TYPE` when no handler of the session's type is there; `INVALID_ARGS` when its arguments no longer match.
 * @see docs/replay.md
 */
export async function replaySession(recording: SessionRecording, options: ReplayOptions = {}): Promise<ReplayResult> {
  check(recording)
  const { url, args, tags, startedAt } = recording
  const { entities, env = {}, missing = "unknown" } = options
  let isStopped = false
  const world = new RecordedWorld(recording, missing, () => {
    isStopped = true
    rouse.signal(url, "interrupt")
  })
  const effects: Effect[] = []
  const rouse: TestRouse = new TestRouse({
    entities: [...(entities ?? registeredEntities().values())],
    startMs: Date.parse(startedAt),
    env,
    log: silentLog,
    secrets: () => Promise.resolve("replayed-secret"),
    fetch: () => Promise.reject(new RouseError("ADDRESS_REFUSED", "a replay reaches nobody")),
    world,
    resolveModels: resolverOf(recording, options.model ?? "recorded", env),
    onCommit: (commit) => held(commit, effects),
  })
  await rouse.spawn(url, { args, tags })
  for (const run of recording.runs) {
    if (isStopped) break
    for (const { kind, from, content, schedule } of run.messages)
      rouse.deliver(url, content, { kind, from, ...(schedule ? { schedule } : {}) })
    await rouse.settle()
  }
  const again = recordSession(rouse.log(url))
  const runs = diffSessions(recording, again)
  const same = runs.every((run) => run.same) && world.missing.length === 0
  return { same, runs, missing: world.missing, effects, recording: again }
}

function check(recording: SessionRecording): void {
  const { recording: kind, version } = recording as Partial<SessionRecording>
  if (kind !== "rouse-session" || version !== 1)
    throw new RouseError(
      "BAD_REQUEST",
      "this is no recording of a session, or of a later version: see rouse replay --save",
    )
  if (parseEntityUrl(recording.url) === undefined)
    throw new RouseError("BAD_REQUEST", `url: ${JSON.stringify(recording.url)} is not an address`)
}

function resolverOf(
  recording: SessionRecording,
  model: NonNullable<ReplayOptions["model"]>,
  env: NonNullable<ReplayOptions["env"]>,
): ModelResolver {
  const usual = modelResolver({ env })
  if (model === "handler") return usual
  if (typeof model !== "string") return (name) => Promise.resolve({ model, name })
  if (model !== "recorded") return () => usual(model)
  const again = scriptedModel(scriptOf(recording))
  return (name) => Promise.resolve({ model: again, name })
}

/** What the model said, step by step: the prompt's answers tell which one is next. */
function scriptOf({ runs }: SessionRecording): Script {
  const steps = runs.flatMap((run) => run.steps)
  return (_prompt, answers) => {
    const step = steps[answers]
    if (!step) return "(The recording has no further step.)"
    const { text, reasoning, calls, usage } = step
    return {
      ...(text === "" ? {} : { text }),
      ...(reasoning === "" ? {} : { reasoning }),
      calls: calls.map(({ name, input, callId }) => ({ tool: name, input, id: callId })),
      ...(usage ? { usage: { input: usage.inputTokens, output: usage.outputTokens } } : {}),
    }
  }
}

/** A commit without what would leave the agent, which is noted. */
function held(commit: HandlerCommit, effects: Effect[]): HandlerCommit {
  const { sends = [], spawns = [], forks = [], schedules = [], reserve: _reserve, ...rest } = commit
  const note = (kind: Effect["kind"], list: readonly unknown[]): void => {
    for (const what of list) effects.push({ kind, what: what as Json })
  }
  note("send", sends)
  note("spawn", spawns)
  note("fork", forks)
  note("schedule", schedules)
  return rest
}
