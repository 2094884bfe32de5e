import { type EntityDefinition } from "@rouse/agents/runtime"
import { type ApprovalRule, type WebhookSourceBody } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import type { RetentionRule, SubscriptionOptions } from "@rouse/streams"
import { type WebhookOptions } from "./dispatch/deliveries.ts"
import type { HandlerHost } from "./dispatch/runner.ts"
import type { Contents } from "./attachments/contents.ts"
import { type IdleRule } from "./idle-expiry.ts"
import type { StreamAccessOptions } from "./http/stream-access.ts"
import type { Token } from "./http/tokens.ts"
import { type Limits } from "./limits.ts"
import type { Log } from "./log.ts"
import type { Defer } from "./plane.ts"
import type { RowSource } from "./pg-source/row-source.ts"

/** Everything the server touches is passed in. */
export interface ServerOptions extends StreamAccessOptions {
  readonly store: Store
  readonly entities: Iterable<EntityDefinition>
  /** Milliseconds since the Unix epoch. */
  readonly clock: () => number
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** Calls `fn` after `ms`; returns the cancellation. */
  readonly defer: Defer
  readonly log: Log
  /** What handlers are given: the environment that model keys are read from, and so on. */
  readonly host: HandlerHost
  /** Who may come in. Without tokens only this machine may. */
  readonly tokens?: readonly Token[]
  /** Absolute path of the built page. */
  readonly page?: string
  readonly version?: string
  readonly limits?: Partial<Limits>
  /** How wakes are sent to handlers behind webhooks. Without it there are none; workers can ask for wakes all the same. */
  readonly webhooks?: WebhookOptions
  /** Which history may be taken away, by the beginning of the streams' paths: `entities/chat/` is that of the type `chat`. None without. */
  readonly retention?: readonly RetentionRule[]
  /** Which agents are purged when they did nothing for some time. None without. */
  readonly deleteIdle?: readonly IdleRule[]
  /** Rules that ask for approvals of tool calls, of whatever type. The first that matches a call counts. */
  readonly policy?: readonly ApprovalRule[]
  /** Where bytes of attachments are kept, given where they are otherwise: the store. */
  readonly attachments?: (store: Contents) => Contents
  /** Sources of webhooks by name, beside those that are set over the API. */
  readonly webhookSources?: Readonly<Record<string, WebhookSourceBody>>
  /** Databases whose changed rows go to the streams `pg/{name}/{table}`. They stay open: they were passed in. */
  readonly rowSources?: readonly RowSource[]
  /** Milliseconds a long poll of a stream waits. */
  readonly longPollMs?: number
  /** The network that subscriptions of streams reach their webhooks by; `nodeWebhooks()` is Node's. There are no subscriptions without. */
  readonly subscriptions?: SubscriptionOptions
}
