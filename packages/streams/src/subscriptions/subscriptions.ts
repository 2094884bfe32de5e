import { RouseError } from "@rouse/protocol"
import type { Context } from "../context.ts"
import { parseRoute } from "../core/subscription-route.ts"
import type { StreamAccess, StreamsOptions } from "../options.ts"
import type { Reply } from "../reply.ts"
import type { SubscriptionContext } from "./context.ts"
import { Keyring } from "./keyring.ts"
import type { SubscriptionOptions } from "./options.ts"
import { subscriptionProblem } from "./problem.ts"
import { answerRoute } from "./routes.ts"
import type { Asked } from "./routes.ts"
import { Tokens } from "./tokens.ts"
import { WorkLoop } from "./work-loop.ts"

/** Subscriptions over a store, at work from the beginning. */
export interface Subscriptions {
  /** Answers a request under the protocol's own prefix. Never rejects. */
  answer(asked: Asked, segments: readonly string[]): Promise<Reply>
  close(): Promise<void>
}

export function openSubscriptions(
  { store, clock, random, basePath, onError }: Context,
  streams: StreamsOptions,
  options: SubscriptionOptions,
): Subscriptions {
  const context: SubscriptionContext = {
    store,
    clock,
    random,
    options,
    basePath,
    keyring: new Keyring(store, clock, options),
    tokens: new Tokens(store, clock, options),
    onError,
  }
  const loop = new WorkLoop(context)
  const unwatch = store.watchSubscriptions((dueAtMs) => loop.dueAt(dueAtMs))
  loop.poke()
  return {
    async answer(asked, segments) {
      try {
        return await answerRoute(context, (access) => authorize(streams, access), asked, parseRoute(segments))
      } catch (error) {
        const reply = subscriptionProblem(error)
        if (reply.status >= 500) onError(error)
        return reply
      }
    },
    async close() {
      unwatch()
      await loop.close()
    },
  }
}

/** A stream that a subscription would read or write is guarded as for a request that reads or writes it. */
async function authorize({ guard, readOnly }: StreamsOptions, access: StreamAccess): Promise<void> {
  await guard?.(access)
  const isStream = !access.path.startsWith("__ds/")
  if (!isStream || !access.write || readOnly?.(access.path) !== true) return
  throw new RouseError("BAD_REQUEST", `wake_stream: ${access.path} is written by the server alone`, {
    details: { field: "wake_stream" },
  })
}
