import type { Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import type { Keyring } from "./keyring.ts"
import type { SubscriptionOptions } from "./options.ts"
import type { Tokens } from "./tokens.ts"

/** What everything about subscriptions works with. */
export interface SubscriptionContext {
  readonly store: Store
  readonly clock: Clock
  readonly random: () => number
  readonly options: SubscriptionOptions
  readonly basePath: string
  readonly keyring: Keyring
  readonly tokens: Tokens
  readonly onError: (error: unknown) => void
}
