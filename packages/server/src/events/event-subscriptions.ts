import { type EventSubscription, type EventSubscriptionBody, RouseError } from "@rouse/protocol"
import { type Op, type Store } from "@rouse/store"
import { type Compose, type SubscriptionOptions, webhookSubscription } from "@rouse/streams"
import { ConfigLog } from "../config-log.ts"
import { canonicalJson } from "../core/canonical.ts"
import { isoTime } from "../core/control.ts"
import type { Secrets } from "../webhooks/verify.ts"
import { composeEvents } from "./compose.ts"

const SUBSCRIPTIONS_MAX = 1_000

export interface EventSubscriptionOptions {
  readonly store: Store
  readonly clock: () => number
  readonly secrets: Secrets
  /** Undefined: this server sends no webhooks. */
  readonly network: SubscriptionOptions | undefined
}

/**
 * Who outside is told what happens to entities. Each is one subscription of streams, which wakes, tries and remembers how far it was handled;
 * here is only what it is told.
 *
 * Its settings and that subscription change in one commit.
 */
export class EventSubscriptions {
  readonly #options: EventSubscriptionOptions
  readonly #kept: ConfigLog<EventSubscription>

  constructor(options: EventSubscriptionOptions) {
    this.#options = options
    this.#kept = new ConfigLog(options.store, options.clock, "rouse/event-subscriptions", "event_subscription")
  }

  /** @param onError Told when following the store failed. */
  open(onError: (error: unknown) => void): Promise<void> {
    return this.#kept.open(onError)
  }

  close(): void {
    this.#kept.close()
  }

  readonly compose: Compose = async (name, streams, nowMs) => {
    // Subscriptions are at work before the server has started, and another process may have made this one.
    const known = this.#kept.values.get(name) ?? (await this.need(name))
    return composeEvents(this.#options.store, this.#options.secrets, known, streams, nowMs)
  }

  async list(): Promise<readonly EventSubscription[]> {
    await this.#kept.refresh()
    return [...this.#kept.values.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** @throws {RouseError} `UNKNOWN_EVENT_SUBSCRIPTION` */
  async need(name: string): Promise<EventSubscription> {
    await this.#kept.refresh()
    const found = this.#kept.values.get(name)
    if (found) return found
    throw new RouseError("UNKNOWN_EVENT_SUBSCRIPTION", `there is no event subscription "${name}"`)
  }

  /** A subscription with how its webhooks fare. */
  async describe(name: string): Promise<EventSubscription & { readonly failures: number; readonly pending: number }> {
    const found = await this.need(name)
    const record = await this.#options.store.subscription(idOf(name))
    const { failures = 0 } = JSON.parse(record?.state ?? "{}") as { readonly failures?: number }
    return { ...found, failures, pending: record?.pending ?? 0 }
  }

  /**
   * Makes a subscription: it is told what happens from now on. The same again changes nothing.
   *
   * @throws {RouseError} `ALREADY_EXISTS` when one of this name differs; `WEBHOOK_URL_REJECTED`; `OVERLOADED` when there are too many.
   */
  async make(name: string, body: EventSubscriptionBody): Promise<boolean> {
    await this.#kept.refresh()
    const known = this.#kept.values.get(name)
    if (known) {
      if (canonicalJson({ ...known, ...body }) === canonicalJson(known as never)) return false
      throw new RouseError("ALREADY_EXISTS", `the event subscription ${name} exists and differs; delete it first`)
    }
    const { network, clock } = this.#options
    if (!network) throw new RouseError("WEBHOOK_URL_REJECTED", "url: this server sends no webhooks")
    if (this.#kept.values.size >= SUBSCRIPTIONS_MAX)
      throw new RouseError("OVERLOADED", `at most ${SUBSCRIPTIONS_MAX} event subscriptions can be kept`)
    const [type, ...others] = body.types ?? []
    const pattern = type !== undefined && others.length === 0 ? `entities/${type}/*` : "entities/*/*"
    const nowMs = clock()
    const put = webhookSubscription({ id: idOf(name), pattern, url: body.url, name }, network, nowMs)
    await this.#kept.put(name, { ...body, name, createdAt: isoTime(nowMs) }, [put])
    return true
  }

  /** @throws {RouseError} `UNKNOWN_EVENT_SUBSCRIPTION` */
  async remove(name: string): Promise<void> {
    await this.need(name)
    const drop: Op = { op: "subscription", change: { kind: "delete", id: idOf(name) } }
    await this.#kept.remove(name, [drop])
  }
}

/** Beside those that are made over the streams' protocol, whose ids may not hold a slash. */
function idOf(name: string): string {
  return `events/${name}`
}
