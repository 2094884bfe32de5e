import { join } from "node:path"
import { entityUrl, type EntityUrl } from "@rouse/protocol"
import type { EntityLog, RestingEntity } from "./core/history.ts"
import type { PeerMessage, PeerThread } from "./core/judge-peer.ts"
import { AGENT } from "./core/work.ts"
import { HttpClient } from "./http.ts"
import { startProcess } from "./process.ts"
import type { Running } from "./process.ts"
import { NotAccepted } from "./target.ts"
import type { Accepted, Outgoing, Target } from "./target.ts"

export interface PeerTargetOptions {
  readonly name: string
  /** The peer's program: see `bench/src/peers`. */
  readonly file: string
  /** Where its data goes. */
  readonly directory: string
  readonly ledgerUrl: string
}

/**
 * Another system, behind a program that answers
 *
 * - `POST /messages/{agent}` with `{ name, content }`: handles the message, and answers when that is done; sent again under its name, it
 *   is the same message;
 * - `GET /busy`: what is under way;
 * - `GET /thread/{agent}`: `{ messages, open }`, the names that the agent's conversation holds, and whether something of it is left open.
 *
 * It has no logs that could be judged: what it did is what the outside ledger says, and what its conversations hold.
 */
export class PeerTarget implements Target {
  readonly name: string
  /** What it was sent, by name. */
  readonly sent: Map<string, PeerMessage> = new Map()
  /** Its conversations, once they were collected. */
  threads: readonly PeerThread[] = []
  readonly #options: PeerTargetOptions
  readonly #http = new HttpClient()

  constructor(options: PeerTargetOptions) {
    this.name = options.name
    this.#options = options
  }

  launch(): Running {
    const { file, directory, ledgerUrl } = this.#options
    return startProcess({ file, args: [join(directory, "data"), ledgerUrl] })
  }

  address(agent: string): EntityUrl {
    return entityUrl(AGENT, agent)
  }

  async prepare(): Promise<void> {
    // An agent is there when it is sent to.
  }

  async send(base: string, { name, agent, content }: Outgoing): Promise<Accepted> {
    this.sent.set(name, { name, agent, content })
    const { status, body } = await this.#http.call({
      method: "POST",
      url: `${base}/messages/${agent}`,
      body: { name, content },
    })
    if (status === 503) throw new NotAccepted(body)
    if (status !== 200) throw new Error(`${this.name} answered ${status}: ${body}`)
    return { settled: (JSON.parse(body) as { readonly status: string }).status }
  }

  async busy(base: string): Promise<readonly string[]> {
    return await this.#get<readonly string[]>(`${base}/busy`)
  }

  /** None; the conversations are collected instead. */
  async logs(base: string): Promise<readonly EntityLog[]> {
    const agents = new Set([...this.sent.values()].map(({ agent }) => agent))
    const threads: PeerThread[] = []
    for (const agent of agents)
      threads.push({ agent, ...(await this.#get<Omit<PeerThread, "agent">>(`${base}/thread/${agent}`)) })
    this.threads = threads
    return []
  }

  async atRest(): Promise<{ readonly rest: readonly RestingEntity[]; readonly nextDueAtMs: number | undefined }> {
    return { rest: [], nextDueAtMs: undefined }
  }

  close(): void {
    this.#http.close()
  }

  async #get<T>(url: string): Promise<T> {
    const { status, body } = await this.#http.call({ method: "GET", url })
    if (status !== 200) throw new Error(`${this.name} answered ${status}: ${body}`)
    return JSON.parse(body) as T
  }
}
