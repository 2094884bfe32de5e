import { RouseError } from "@rouse/protocol"
import type { ConnectionOpts, Sandbox } from "e2b"
import { secret } from "../secrets/secret.ts"
import type { Secret } from "../secrets/secret.ts"
import { BoxWorkspace } from "./box-workspace.ts"
import { E2bBox } from "./e2b-box.ts"
import type { SandboxProvider, SandboxSecrets } from "./provider.ts"
import { checkPositive, checkService, explained, keyOf, KnownIds, loaded } from "./service.ts"
import type { Service } from "./service.ts"

const PAUSE_AFTER_MS = 300_000
const DIRECTORY = "workspace"
const APP = "rouse"
/** Sandboxes that one process remembers the ids of: others are looked up. */
const KNOWN_MAX = 1_000
const LABEL = { app: "rouse-app", workspace: "rouse-workspace" } as const

export interface E2bSandboxOptions {
  /** `secret("E2B_API_KEY")` when absent. */
  readonly apiKey?: string | Secret
  /** Name or id of the template. E2B's `base` when absent. */
  readonly template?: string
  /** What commands find in their environment. */
  readonly env?: Readonly<Record<string, string>>
  /** False: no network. E2B's own default is one. */
  readonly network?: boolean
  /** Milliseconds after its last use that a sandbox is paused, with its files and its memory. 300,000 when absent. */
  readonly pauseAfterMs?: number
  /** The directory of the workspace, from the user's home. `workspace` when absent. */
  readonly directory?: string
  /** Whose sandboxes these are, where several applications share an account. `rouse` when absent. */
  readonly app?: string
  /** Where E2B is, for those that host it: as the SDK takes it. */
  readonly domain?: string
  readonly apiUrl?: string
  readonly sandboxUrl?: string
}

/**
 * Workspaces that are E2B sandboxes, found again by their metadata, and paused when they are not used. Needs the package `e2b`.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/sandbox.md
 */
export function e2bSandbox(options: E2bSandboxOptions = {}): SandboxProvider {
  const { apiKey = secret("E2B_API_KEY"), app = APP, directory = DIRECTORY } = options
  checkService("e2bSandbox", { apiKey, app, directory })
  checkPositive("e2bSandbox", "pauseAfterMs", options.pauseAfterMs)
  const known = new KnownIds(KNOWN_MAX)
  const connect = async (secrets: SandboxSecrets | undefined): Promise<E2b> => {
    const key = await keyOf(apiKey, secrets)
    const { Sandbox: sandboxes } = await loaded("e2b", () => import("e2b"))
    return new E2b(sandboxes, { name: "E2B", keyName: "E2B_API_KEY", key }, app, options)
  }
  return {
    async open(name, secrets) {
      const e2b = await connect(secrets)
      const sandbox = (await e2b.again(known.get(name))) ?? (await e2b.found(name))
      known.set(name, sandbox.sandboxId)
      return new BoxWorkspace(new E2bBox(sandbox, e2b.service, e2b.pauseAfterMs), directory)
    },
    async remove(name, secrets) {
      known.delete(name)
      const e2b = await connect(secrets)
      for (const { id } of await e2b.list(name)) await e2b.kill(id)
    },
    async list(secrets) {
      const e2b = await connect(secrets)
      return [...new Set((await e2b.list()).map(({ workspace }) => workspace))]
    },
  }
}

interface Found {
  readonly id: string
  readonly workspace: string
}

/** The account of one key. */
class E2b {
  readonly service: Service
  readonly pauseAfterMs: number
  readonly #sandboxes: typeof Sandbox
  readonly #app: string
  readonly #options: E2bSandboxOptions

  constructor(sandboxes: typeof Sandbox, service: Service, app: string, options: E2bSandboxOptions) {
    this.#sandboxes = sandboxes
    this.service = service
    this.#app = app
    this.#options = options
    this.pauseAfterMs = options.pauseAfterMs ?? PAUSE_AFTER_MS
  }

  /** A sandbox whose id is known, roused if it was paused. Undefined when it is gone. */
  async again(id: string | undefined): Promise<Sandbox | undefined> {
    if (id === undefined) return undefined
    try {
      return await this.#sandboxes.connect(id, { ...this.#connection(), timeoutMs: this.pauseAfterMs })
    } catch (error) {
      const told = explained(this.service, error)
      if (told.code === "NOT_FOUND") return undefined
      throw told
    }
  }

  /**
   * The sandbox of a workspace, made when there is none. E2B has no names that are taken once, so that two that look at the same time both
   * make one: each looks again, and the one that was there first stays.
   */
  async found(name: string): Promise<Sandbox> {
    const there = await this.again((await this.list(name))[0]?.id)
    if (there !== undefined) return there
    const made = await this.#made(name)
    const [first, ...others] = await this.list(name)
    const isFirst = first === undefined || first.id === made.sandboxId
    const winner = isFirst ? made : await this.again(first.id)
    if (winner === undefined) return made
    for (const { id } of others) await this.kill(id)
    return winner
  }

  /** The oldest first. */
  async list(name?: string): Promise<readonly Found[]> {
    const metadata = { [LABEL.app]: this.#app, ...(name === undefined ? {} : { [LABEL.workspace]: name }) }
    const found: { readonly id: string; readonly workspace: string; readonly at: number }[] = []
    try {
      const pages = this.#sandboxes.list({ ...this.#connection(), query: { metadata }, order: "asc" })
      while (pages.hasNext) {
        for (const { sandboxId, metadata: labels, startedAt } of await pages.nextItems()) {
          const workspace = labels[LABEL.workspace]
          if (workspace !== undefined) found.push({ id: sandboxId, workspace, at: startedAt.getTime() })
        }
      }
    } catch (error) {
      throw explained(this.service, error)
    }
    return found.toSorted((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
  }

  async kill(id: string): Promise<void> {
    try {
      await this.#sandboxes.kill(id, this.#connection())
    } catch (error) {
      const told = explained(this.service, error)
      if (told.code !== "NOT_FOUND") throw told
    }
  }

  async #made(name: string): Promise<Sandbox> {
    const { template, env, network } = this.#options
    const wanted = {
      ...this.#connection(),
      metadata: { [LABEL.app]: this.#app, [LABEL.workspace]: name },
      timeoutMs: this.pauseAfterMs,
      lifecycle: { onTimeout: "pause" as const },
      ...(env === undefined ? {} : { envs: { ...env } }),
      ...(network === undefined ? {} : { allowInternetAccess: network }),
    }
    try {
      return template === undefined
        ? await this.#sandboxes.create(wanted)
        : await this.#sandboxes.create(template, wanted)
    } catch (error) {
      const told = explained(this.service, error)
      if (told.code !== "NOT_FOUND") throw told
      throw new RouseError("BACKEND_REFUSED", `${told.message}: is there a template ${template ?? "base"}?`)
    }
  }

  #connection(): ConnectionOpts {
    const { domain, apiUrl, sandboxUrl } = this.#options
    return {
      apiKey: this.service.key,
      ...(domain === undefined ? {} : { domain }),
      ...(apiUrl === undefined ? {} : { apiUrl }),
      ...(sandboxUrl === undefined ? {} : { sandboxUrl }),
    }
  }
}
