import type { Json } from "@rouse/protocol"
import type { RecordedRun, SessionRecording } from "./recording.ts"
import { keyOf } from "./world.ts"

/** What a run came to. */
export interface RunFacts {
  readonly status: string
  readonly reply: Json
  readonly steps: number
  readonly tokens: number
  readonly usd: number
}

export interface RunDiff {
  readonly run: string
  readonly before: RunFacts | null
  readonly after: RunFacts | null
  /** Calls in order: in both, only in the recording, only in the replay. */
  readonly calls: readonly { readonly in: "both" | "before" | "after"; readonly name: string; readonly input: Json }[]
  /** Whether status, reply and calls are the same. */
  readonly same: boolean
}

/** Compares two recordings of one session, run by run. Pure. */
export function diffSessions(before: SessionRecording, after: SessionRecording): readonly RunDiff[] {
  const count = Math.max(before.runs.length, after.runs.length)
  return Array.from({ length: count }, (_, i) => diffRun(before.runs[i], after.runs[i]))
}

function diffRun(before: RecordedRun | undefined, after: RecordedRun | undefined): RunDiff {
  const calls = diffCalls(before, after)
  const [was, is] = [before && factsOf(before), after && factsOf(after)]
  const same =
    was?.status === is?.status &&
    JSON.stringify(was?.reply) === JSON.stringify(is?.reply) &&
    calls.every((call) => call.in === "both")
  return { run: before?.id ?? after?.id ?? "", before: was ?? null, after: is ?? null, calls, same }
}

function factsOf({ status, reply, steps }: RecordedRun): RunFacts {
  const sum = (of: (step: RecordedRun["steps"][number]) => number): number => steps.reduce((n, step) => n + of(step), 0)
  return {
    status,
    reply,
    steps: steps.length,
    tokens: sum(({ usage }) => (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0)),
    usd: sum(({ usage }) => usage?.usd ?? 0),
  }
}

/** Longest common subsequence would be nicer for reordered calls; in order is what a reader of a log expects. */
function diffCalls(before: RecordedRun | undefined, after: RecordedRun | undefined): RunDiff["calls"] {
  const was = callsOf(before)
  const is = callsOf(after)
  const calls: RunDiff["calls"][number][] = []
  let at = 0
  for (const call of is) {
    const found = was.findIndex(
      (other, i) => i >= at && keyOf(other.name, other.input) === keyOf(call.name, call.input),
    )
    if (found < 0) calls.push({ in: "after", ...call })
    else {
      calls.push(...was.slice(at, found).map((other) => ({ in: "before" as const, ...other })), { in: "both", ...call })
      at = found + 1
    }
  }
  return [...calls, ...was.slice(at).map((other) => ({ in: "before" as const, ...other }))]
}

function callsOf(run: RecordedRun | undefined): readonly { readonly name: string; readonly input: Json }[] {
  return (run?.steps ?? []).flatMap((step) => step.calls).map(({ name, input }) => ({ name, input }))
}
