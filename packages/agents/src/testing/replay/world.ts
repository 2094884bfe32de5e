import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import type { World } from "../../host.ts"
import type { Tool } from "../../tool.ts"
import type { RecordedCall, SessionRecording } from "./recording.ts"

/** What becomes of a call that the recording does not have: it is told as unknown, or the replay ends; `pure` tools may be asked. */
export type Missing = "unknown" | "stop" | "pure"

/** A call that the recording does not have. */
export interface MissingCall {
  readonly name: string
  readonly input: Json
  /** Whether the real tool was asked: it is pure, and that was allowed. */
  readonly asked: boolean
}

/**
 * Stands between a handler and the world: each call is answered as the recording has it, by tool, input and how often it was made before.
 * No tool is executed, unless it is pure and that is allowed.
 */
export class RecordedWorld implements World {
  readonly missing: MissingCall[] = []
  readonly #answers = new Map<string, RecordedCall[]>()
  readonly #memos: Map<string, Json[]>
  readonly #policy: Missing
  readonly #stop: () => void

  constructor({ runs, memos }: SessionRecording, policy: Missing, stop: () => void) {
    this.#policy = policy
    this.#stop = stop
    this.#memos = new Map(Object.entries(memos).map(([name, results]) => [name, [...results]]))
    for (const call of runs.flatMap((run) => run.steps).flatMap((step) => step.calls)) {
      const key = keyOf(call.name, call.input)
      const answers = this.#answers.get(key)
      if (answers) answers.push(call)
      else this.#answers.set(key, [call])
    }
  }

  /** The tool as the model knows it, answered from the recording: nobody is asked, nothing is sent. */
  tool(real: Tool): Tool {
    const { name, description, input, inputSchema, effect } = real
    return {
      ...{ name, description, input, inputSchema, effect: "pure" as const },
      backend: undefined,
      parallel: false,
      timeoutMs: undefined,
      retry: { attempts: 1 },
      needsApproval: () => Promise.resolve(false),
      reconcile: undefined,
      execute: async (given, ctx) => {
        const asked = given as Json
        const known = this.#answers.get(keyOf(name, asked))?.shift()
        if (known) return answerOf(known)
        const may = this.#policy === "pure" && effect === "pure"
        this.missing.push({ name, input: asked, asked: may })
        if (may) return real.execute(given, ctx)
        if (this.#policy === "stop") this.#stop()
        throw new RouseError("NOT_FOUND", "The call is not in the recording: its outcome is unknown.")
      },
    }
  }

  /** What a `ctx.step` returned then. */
  step(name: string): Json | undefined {
    const known = this.#memos.get(name)
    if (known && known.length > 0) return known.shift()
    this.missing.push({ name: `ctx.step ${name}`, input: null, asked: false })
    throw new RouseError("NOT_FOUND", `ctx.step ${JSON.stringify(name)} is not in the recording`)
  }
}

function answerOf({ status, output, error, name }: RecordedCall): Json {
  if (status === "done") return output ?? null
  throw new RouseError("NOT_FOUND", error ?? `The call of ${name} was ${status}.`)
}

/** Equal for equal inputs, whatever the order of their keys. */
export function keyOf(name: string, input: Json): string {
  return `${name} ${JSON.stringify(sorted(input))}`
}

function sorted(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(sorted)
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
