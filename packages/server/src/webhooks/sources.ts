import { RouseError, type WebhookSource, type WebhookSourceBody } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { ConfigLog } from "../config-log.ts"

const SOURCES_MAX = 1_000

/**
 * The sources of webhooks: those of the server's configuration, and those set over the API. They hold names of secrets, never their values.
 *
 * What the configuration names can be changed there alone.
 */
export class WebhookSources {
  readonly #fixed: ReadonlyMap<string, WebhookSource>
  readonly #kept: ConfigLog<WebhookSource>

  constructor(store: Store, clock: () => number, fixed: Readonly<Record<string, WebhookSourceBody>> = {}) {
    this.#kept = new ConfigLog(store, clock, "rouse/webhook-sources", "webhook_source")
    this.#fixed = new Map(Object.entries(fixed).map(([name, body]) => [name, { ...body, name, from: "file" }]))
  }

  /** @param onError Told when following the store failed. */
  open(onError: (error: unknown) => void): Promise<void> {
    return this.#kept.open(onError)
  }

  close(): void {
    this.#kept.close()
  }

  async list(): Promise<readonly WebhookSource[]> {
    await this.#kept.refresh()
    const all = new Map([...this.#kept.values, ...this.#fixed])
    return [...all.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /**
   * The source as it is now, whichever replica changed it: a secret that was taken away opens nothing.
   *
   * @throws {RouseError} `UNKNOWN_WEBHOOK_SOURCE`
   */
  async need(name: string): Promise<WebhookSource> {
    if (!this.#fixed.has(name)) await this.#kept.refresh()
    const source = this.#fixed.get(name) ?? this.#kept.values.get(name)
    if (source) return source
    throw new RouseError("UNKNOWN_WEBHOOK_SOURCE", `there is no webhook source "${name}"`)
  }

  /** @throws {RouseError} `ALREADY_EXISTS` for one of the configuration; `OVERLOADED` when there are too many. */
  async set(
    name: string,
    body: WebhookSourceBody,
  ): Promise<{ readonly source: WebhookSource; readonly isNew: boolean }> {
    this.#checkFree(name)
    await this.#kept.refresh()
    const isNew = !this.#kept.values.has(name)
    if (isNew && this.#kept.values.size >= SOURCES_MAX)
      throw new RouseError("OVERLOADED", `at most ${SOURCES_MAX} webhook sources can be kept; remove one first`)
    const source: WebhookSource = { ...body, name, from: "api" }
    await this.#kept.put(name, source)
    return { source, isNew }
  }

  /** @throws {RouseError} `UNKNOWN_WEBHOOK_SOURCE`; `ALREADY_EXISTS` for one of the configuration. */
  async remove(name: string): Promise<void> {
    await this.need(name)
    this.#checkFree(name)
    await this.#kept.remove(name)
  }

  #checkFree(name: string): void {
    if (this.#fixed.has(name))
      throw new RouseError(
        "ALREADY_EXISTS",
        `the webhook source ${name} is set in the server's configuration; change it there`,
      )
  }
}
