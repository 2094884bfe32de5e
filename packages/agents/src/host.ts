import type { LanguageModelV4 } from "@ai-sdk/provider"
import type { Json } from "@rouse/protocol"
import type { OutboundFetch } from "./http/outbound.ts"
import type { Log } from "./log.ts"
import type { Tool } from "./tool.ts"
import type { SecretResolver } from "./secrets/secret.ts"

/** What a wake needs from whoever hosts it. Everything that is not a function of the rows is passed in here. */
export interface Host {
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** In [0, 1): for jitter. */
  readonly random: () => number
  readonly log: Log
  /** Environment variables, for keys and base URLs of models. The process's own when absent. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Finds the values of secrets. In `env` when absent. */
  readonly secrets?: SecretResolver
  /** How tools reach services. The runtime's `fetch` when absent. */
  readonly fetch?: OutboundFetch
  /** Whether tools may call this machine and its network without saying so: for development. No when absent. */
  readonly isPrivateAllowed?: boolean
  /** How names of models become models. From `env` when absent. */
  readonly models?: ModelResolver
  /** How long text may wait before it is on the log as a delta, milliseconds. 50 when absent; Infinity: no deltas. */
  readonly deltaMs?: number
  /** Stands between handlers and the world, where they are to be tried without it: see `replaySession`. */
  readonly world?: World
  /** Waits between tries. Rejects with the signal's reason when it aborts. Timers of the runtime when absent. */
  readonly sleep?: Sleep
}

export interface World {
  /** What is called in the tool's place. */
  tool(tool: Tool): Tool
  /** What a `ctx.step` comes to, in place of running it. */
  step(name: string): Json | undefined
}

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>

/** Finds the model of a name. */
export type ModelResolver = (name: string) => Promise<ResolvedModel>

export interface ResolvedModel {
  readonly model: LanguageModelV4
  /** What the step row says: `anthropic/claude-sonnet-4-5`, or `rouse/echo` where that stands in. */
  readonly name: string
}
