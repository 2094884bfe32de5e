import type { DatabaseSync, StatementSync } from "node:sqlite"
import type { SubscriptionSource } from "../core/subscriber-index.ts"
import type { LinkState, SubscriptionState } from "../core/subscription-state.ts"

/** Looks subscriptions up in the writer's own transaction. */
export class SqliteSubscriptions implements SubscriptionSource {
  readonly #all: StatementSync
  readonly #one: StatementSync
  readonly #links: StatementSync
  #serialLast: number

  constructor(db: DatabaseSync) {
    this.#all = db.prepare("SELECT serial, id, pattern, wake_stream FROM subscription")
    this.#one = db.prepare(
      "SELECT serial, id, version, pattern, wake_stream, idle, due_at, pending, links, named FROM subscription WHERE id = ?",
    )
    this.#links = db.prepare(
      `SELECT serial, id, acked, l.pending AS pending, explicit
        FROM subscribed l JOIN subscription s ON s.serial = l.subscription WHERE path = ?`,
    )
    const last = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'subscription'").get()
    this.#serialLast = Number(last?.["seq"] ?? 0)
  }

  all(): ReturnType<SubscriptionSource["all"]> {
    return this.#all.all().map((row) => ({
      serial: row["serial"] as number,
      id: row["id"] as string,
      pattern: row["pattern"] as string | null,
      wakeStream: row["wake_stream"] as string | null,
    }))
  }

  subscription(id: string): SubscriptionState | undefined {
    const row = this.#one.get(id)
    return row && stateOf(row)
  }

  links(path: string): readonly Omit<LinkState, "matched">[] {
    return this.#links.all(path).map((row) => ({
      serial: row["serial"] as number,
      id: row["id"] as string,
      path,
      linked: true,
      explicit: row["explicit"] === 1,
      acked: row["acked"] as number,
      pending: row["pending"] === 1,
    }))
  }

  newSerial(): number {
    this.#serialLast += 1
    return this.#serialLast
  }
}

function stateOf(row: Record<string, unknown>): SubscriptionState {
  return { ...subscriptionColumns(row), named: row["named"] as number }
}

/** What every reader of a subscription's row is told. */
export function subscriptionColumns(row: Record<string, unknown>): Omit<SubscriptionState, "named"> {
  return {
    serial: row["serial"] as number,
    id: row["id"] as string,
    version: row["version"] as number,
    pattern: row["pattern"] as string | null,
    wakeStream: row["wake_stream"] as string | null,
    idle: row["idle"] === 1,
    dueAtMs: row["due_at"] as number | null,
    pending: row["pending"] as number,
    links: row["links"] as number,
  }
}
