import type { EffectEntry, Execution } from "./core/effect-book.ts"
import { HttpClient } from "./http.ts"
import type { Reply } from "./http.ts"

/** The outside ledger, as tools and the driver use it. */
export class LedgerClient {
  readonly #url: string
  readonly #http = new HttpClient()

  constructor(url: string) {
    this.#url = url
  }

  /** Has the effect. Returns what happened under its key so far. */
  async record(execution: Execution): Promise<EffectEntry> {
    return parse(await this.#http.call({ method: "POST", url: `${this.#url}/effect`, body: execution })) as EffectEntry
  }

  /** Asks whether it happened. */
  async find(key: string): Promise<EffectEntry | undefined> {
    const reply = await this.#http.call({ method: "GET", url: `${this.#url}/find?key=${encodeURIComponent(key)}` })
    return reply.status === 404 ? undefined : (parse(reply) as EffectEntry)
  }

  async report(): Promise<readonly EffectEntry[]> {
    return parse(await this.#http.call({ method: "GET", url: `${this.#url}/report` })) as readonly EffectEntry[]
  }

  close(): void {
    this.#http.close()
  }
}

function parse(reply: Reply): unknown {
  if (reply.status !== 200) throw new Error(`the ledger answered ${reply.status}: ${reply.body}`)
  return JSON.parse(reply.body) as unknown
}
