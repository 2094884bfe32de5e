import type { Budget, EntityUrl, Json, JsonObject, Settled, SpawnBody, Spawned } from "@rouse/protocol"
import { entityPath, queryString, spawnAddress } from "./core/address.ts"
import { definedOnly } from "./core/defined.ts"
import { durationMs } from "./core/duration.ts"
import type { Duration, WriteOptions } from "./options.ts"
import type { Call, Transport } from "./transport.ts"

export interface SpawnInput {
  readonly args?: JsonObject | undefined
  readonly tags?: Readonly<Record<string, string>> | undefined
  /** The first message. */
  readonly message?: Json | undefined
  readonly parent?: EntityUrl | undefined
  /** What it and those below it may use. */
  readonly budget?: Budget | undefined
}

export interface SpawnOptions extends WriteOptions {
  /** Wait at most this long (10 minutes at most) for the first message to settle. */
  readonly wait?: Duration | undefined
}

/** What was spawned, and what came of its first message when the call waited for it. */
export interface SpawnReply extends Spawned {
  readonly settled?: Settled
}

/** How entities come to be. */
export interface Spawning {
  /**
   * Creates an entity, by address or by type with a random id. Spawning it again with the same arguments changes nothing.
   *
   * @throws {RouseError} `UNKNOWN_TYPE`; `INVALID_ARGS`; `ALREADY_EXISTS` when it exists with other arguments.
   * @example
   * const { entity } = await client.spawn("/support/ann", { args: { customer: "ann" } })
   * const { entity } = await client.spawn("support", { args: { customer: "ann" }, message: "My order is late" })
   */
  spawn(target: string, input?: SpawnInput, options?: SpawnOptions): Promise<SpawnReply>
  spawn(type: string, id: string | undefined, input?: SpawnInput, options?: SpawnOptions): Promise<SpawnReply>
}

/** Takes `(target, input, options)` or `(type, id, input, options)`. */
export function spawning(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): Spawning {
  return { spawn: async (...args: readonly unknown[]) => spawn(transport, write, spawnArguments(args)) }
}

interface SpawnArguments {
  readonly target: string
  readonly id: string | undefined
  readonly input: SpawnInput
  readonly options: SpawnOptions
}

/** `(target, input, options)` or `(type, id, input, options)`. */
function spawnArguments([target, second, ...rest]: readonly unknown[]): SpawnArguments {
  const named = typeof second === "string" || (second === undefined && rest.length > 0)
  const [input = {}, options = {}] = named ? rest : [second, ...rest]
  return {
    target: target as string,
    id: typeof second === "string" ? second : undefined,
    input: input as SpawnInput,
    options: options as SpawnOptions,
  }
}

async function spawn(
  transport: Transport,
  write: (call: Call, options?: WriteOptions) => Call,
  { target, id, input, options }: SpawnArguments,
): Promise<SpawnReply> {
  const url = spawnAddress(target, () => id ?? transport.newKey())
  const wait = options.wait === undefined ? undefined : `${durationMs(options.wait, "wait")}ms`
  const { args, tags, message, parent, budget } = input
  const body: SpawnBody = definedOnly({ args, tags, message, parent, budget })
  return transport.json(write({ method: "PUT", path: entityPath(url) + queryString({ wait }), body }, options))
}
