import { backoffMs, RouseError } from "@rouse/protocol"
import type { Client, ServerCapabilities, Tool as ServerTool } from "@modelcontextprotocol/client"
import { orAborted } from "../abort.ts"
import type { Sleep } from "../host.ts"
import type { SecretSource } from "./credential.ts"
import { cutOffFloods } from "./flood.ts"
import type { McpEndpoint, McpTransport } from "./options.ts"
import { loadSdk } from "./sdk.ts"

/** Calls of one server that are under way at once, and those that wait behind them. */
const CALLS_MAX = 64
const CALLS_WAITING_MAX = 256
/** Starts in a row that may fail before callers are told at once. */
const FAILURES_MAX = 5
const RESTART_DELAY_MS = 250
const RESTART_DELAY_MS_MAX = 30_000
/** A connection that held this long was no failure. */
const STABLE_MS = 10_000
const CONNECT_MS_MAX = 30_000
const LIST_PAGES_MAX = 16
const CHANGED_DEBOUNCE_MS = 50
/** Clients whose session is gone, and that calls may still wait for. */
const RETIRED_MAX = 4
const RETIRED_MS = 60_000
/** How long a list holds when nobody tells that it changed. */
const LIST_MS_MAX = 60_000

/** What a connection needs of its process. */
export interface McpRuntime {
  readonly now: () => number
  readonly random: () => number
  readonly sleep: Sleep
}

interface Open {
  readonly client: Client
  readonly opened: McpTransport
  readonly openedAtMs: number
}

/**
 * One process's connection to one MCP server, opened when it is needed and again when it was lost.
 *
 * Owns: the SDK's client, the server's list of tools, and how many calls are under way.
 *
 *   closed ──use──▶ opening ──▶ open ──lost, flooded──▶ closed, until `notBeforeMs` (doubling)
 *                                └──idle for `idleMs`──▶ closed
 *
 * Invariants:
 * 1. At most one client is open.
 * 2. A lost connection ends every call under way; what that means is for the caller to say, by the tool's effect class.
 * 3. While nothing is under way, nothing here keeps the process alive.
 */
export class McpConnection {
  readonly endpoint: McpEndpoint
  readonly #runtime: McpRuntime
  #open: Promise<Open> | undefined
  #current: Open | undefined
  #active = 0
  readonly #waiting: (() => void)[] = []
  #failures = 0
  #notBeforeMs = 0
  #tools: { readonly list: readonly ServerTool[]; readonly atMs: number } | undefined
  #listing: Promise<readonly ServerTool[]> | undefined
  #isStale = false
  #has: ServerCapabilities | undefined
  readonly #retired = new Map<Client, ReturnType<typeof setTimeout>>()
  #idle: ReturnType<typeof setTimeout> | undefined
  usedAtMs: number
  /** Who was last to ask for this server: it finds the secrets when it is opened again. */
  secrets: SecretSource | undefined

  constructor(endpoint: McpEndpoint, runtime: McpRuntime) {
    this.endpoint = endpoint
    this.#runtime = runtime
    this.usedAtMs = runtime.now()
  }

  get busy(): boolean {
    return this.#active > 0 || this.#waiting.length > 0
  }

  /**
   * Runs `work` with an open client.
   *
   * @throws {RouseError} `OVERLOADED` when too many calls wait; `BACKEND_FAILED` when the server cannot be reached: nothing was sent.
   */
  async use<T>(work: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter()
    try {
      const opening = this.#connected()
      const { client, openedAtMs } = await (signal ? orAborted(opening, signal) : opening)
      const result = await work(client)
      if (this.#runtime.now() - openedAtMs >= STABLE_MS) this.#failures = 0
      return result
    } finally {
      this.#leave()
    }
  }

  /**
   * The server's tools. The list holds until the server says that it changed; a server that cannot be reached has the tools it had.
   *
   * @throws {RouseError} `BACKEND_FAILED` when it could never be reached.
   */
  async tools(): Promise<readonly ServerTool[]> {
    const known = this.#tools
    const isHeard = this.#current !== undefined || (known && this.#runtime.now() - known.atMs < LIST_MS_MAX)
    if (known && !this.#isStale && isHeard) return known.list
    this.#listing ??= this.#list().finally(() => {
      this.#listing = undefined
    })
    return await this.#listing
  }

  async #list(): Promise<readonly ServerTool[]> {
    // Before it is asked: a change that is told meanwhile counts.
    this.#isStale = false
    try {
      const atMs = this.#runtime.now()
      const { tools } = await this.use((client) => client.listTools(undefined, { timeout: CONNECT_MS_MAX }))
      this.#tools = { list: tools, atMs }
      return tools
    } catch (error) {
      this.#isStale = true
      if (this.#tools === undefined) throw error
      return this.#tools.list
    }
  }

  /** Whether the server says that it has resources, or prompts. */
  async has(what: "resources" | "prompts"): Promise<boolean> {
    this.#has ??= await this.use(async (client) => client.getServerCapabilities() ?? {})
    return this.#has[what] !== undefined
  }

  /**
   * Uses this client no more: its session is gone. What others wait for on it is not cut off, since each will be told so itself; it is closed
   * a while later.
   */
  retire(client: Client): void {
    if (this.#current?.client !== client) return
    this.#forget()
    const timer = setTimeout(() => this.#end(client), RETIRED_MS)
    unref(timer)
    this.#retired.set(client, timer)
    const [oldest] = this.#retired.keys()
    if (oldest !== undefined && this.#retired.size > RETIRED_MAX) this.#end(oldest)
  }

  #end(client: Client): void {
    clearTimeout(this.#retired.get(client))
    this.#retired.delete(client)
    client.close().catch(() => undefined)
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle)
    for (const client of this.#retired.keys()) this.#end(client)
    const open = this.#open
    if (this.#current !== undefined) this.#failures = 0
    this.#forget()
    const found = await open?.catch(() => undefined)
    await found?.client.close()
  }

  async #enter(): Promise<void> {
    this.usedAtMs = this.#runtime.now()
    clearTimeout(this.#idle)
    if (this.#active >= CALLS_MAX) {
      if (this.#waiting.length >= CALLS_WAITING_MAX) {
        throw new RouseError("OVERLOADED", `more than ${CALLS_MAX + CALLS_WAITING_MAX} calls of one MCP server at once`)
      }
      await new Promise<void>((resume) => this.#waiting.push(resume))
    } else {
      this.#active += 1
    }
    this.#current?.opened.hold?.(true)
  }

  /** Hands its place to whoever waits, or frees it. */
  #leave(): void {
    this.usedAtMs = this.#runtime.now()
    const next = this.#waiting.shift()
    if (next) return next()
    this.#active -= 1
    if (this.#active > 0) return
    this.#current?.opened.hold?.(false)
    this.#idle = setTimeout(() => {
      this.close().catch(() => this.#forget())
    }, this.endpoint.idleMs)
    unref(this.#idle)
  }

  #connected(): Promise<Open> {
    this.#open ??= this.#connect().catch((error: unknown) => {
      this.#open = undefined
      throw error
    })
    return this.#open
  }

  async #connect(): Promise<Open> {
    const waitMs = this.#notBeforeMs - this.#runtime.now()
    if (waitMs > 0 && this.#failures >= FAILURES_MAX) {
      throw new RouseError(
        "BACKEND_FAILED",
        `the MCP server failed ${this.#failures} times; it is tried again in ${waitMs} ms`,
      )
    }
    if (waitMs > 0) await this.#runtime.sleep(waitMs)
    let opened: McpTransport | undefined
    try {
      opened = await this.endpoint.open(this.secrets)
      const client = await this.#client()
      opened.hold?.(true)
      await client.connect(opened.transport, { timeout: CONNECT_MS_MAX })
      return this.#keep({ client, opened, openedAtMs: this.#runtime.now() })
    } catch (error) {
      this.#failed()
      await opened?.transport.close().catch(() => undefined)
      throw unreachable(error, opened)
    }
  }

  async #client(): Promise<Client> {
    const { Client } = await loadSdk()
    return new Client(
      { name: "rouse", version: "1" },
      {
        listMaxPages: LIST_PAGES_MAX,
        versionNegotiation: { mode: this.endpoint.kind === "http" ? "auto" : "legacy" },
        listChanged: {
          tools: {
            autoRefresh: false,
            debounceMs: CHANGED_DEBOUNCE_MS,
            onChanged: () => {
              this.#isStale = true
            },
          },
        },
      },
    )
  }

  #keep(open: Open): Open {
    const { client, opened } = open
    this.#current = open
    opened.hold?.(this.#active > 0)
    const onclose = (): void => {
      if (this.#current !== open) return
      this.#forget()
      if (this.#runtime.now() - open.openedAtMs < STABLE_MS) this.#failed()
      else this.#failures = 0
    }
    Object.assign(client, { onclose })
    cutOffFloods(opened.transport, this.#runtime.now, () => void client.close().catch(() => this.#forget()))
    return open
  }

  #failed(): void {
    this.#failures += 1
    const delayMs = backoffMs(this.#failures, RESTART_DELAY_MS, RESTART_DELAY_MS_MAX, this.#runtime.random())
    this.#notBeforeMs = this.#runtime.now() + delayMs
  }

  #forget(): void {
    this.#open = undefined
    this.#current = undefined
  }
}

/** Where timers can be told not to keep the process alive. */
function unref(timer: unknown): void {
  ;(timer as { unref?: () => void }).unref?.()
}

const WORDS_CHARS_MAX = 500

function unreachable(error: unknown, opened: McpTransport | undefined): RouseError {
  if (RouseError.is(error)) return error
  const words = opened?.lastWords?.().trim().slice(-WORDS_CHARS_MAX)
  const reason = error instanceof Error ? error.message : String(error)
  return new RouseError("BACKEND_FAILED", `the MCP server cannot be reached: ${reason}${words ? ` (${words})` : ""}`, {
    cause: error,
  })
}
