import { RouseError } from "@rouse/protocol"
import type { Daytona, Sandbox } from "@daytona/sdk"
import { secret } from "../secrets/secret.ts"
import type { Secret } from "../secrets/secret.ts"
import { BoxWorkspace } from "../sandbox/box-workspace.ts"
import { DaytonaBox } from "./daytona-box.ts"
import type { SandboxProvider, SandboxSecrets } from "../sandbox/provider.ts"
import { checkPositive, checkService, explained, keyOf, loaded } from "../sandbox/service.ts"
import type { Service } from "../sandbox/service.ts"

const STOP_AFTER_MINUTES = 15
const DIRECTORY = "workspace"
const APP = "rouse"
const START_SECONDS_MAX = 120
/** How often a sandbox that changes its state just then is looked at again. */
const TRIES_MAX = 5
const LABEL = { app: "rouse-app", workspace: "rouse-workspace" } as const
const SHOWN_CHARS_MAX = 40

export interface DaytonaSandboxOptions {
  /** `secret("DAYTONA_API_KEY")` when absent. */
  readonly apiKey?: string | Secret
  /** A snapshot to make sandboxes of, or an image. Daytona's default snapshot when both are absent. */
  readonly snapshot?: string
  readonly image?: string
  /** What commands find in their environment. */
  readonly env?: Readonly<Record<string, string>>
  /** False: no network. Daytona's own default is one. */
  readonly network?: boolean
  /** Minutes after its last use that a sandbox is stopped, with its files. 15 when absent. */
  readonly stopAfterMinutes?: number
  /** Minutes that a stopped sandbox stays before it is deleted. It stays for ever when absent. */
  readonly deleteAfterMinutes?: number
  /** The directory of the workspace, from the sandbox's working directory. `workspace` when absent. */
  readonly directory?: string
  /** Whose sandboxes these are, where several applications share an organization. `rouse` when absent. */
  readonly app?: string
  /** Where Daytona is, and where its sandboxes run: as the SDK takes it. */
  readonly apiUrl?: string
  readonly target?: string
}

/**
 * Workspaces that are Daytona sandboxes, found again by their names, and stopped when they are not used. Needs the package `@daytona/sdk`.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the option that is wrong.
 * @see docs/sandbox.md
 */
export function daytonaSandbox(options: DaytonaSandboxOptions = {}): SandboxProvider {
  const { apiKey = secret("DAYTONA_API_KEY"), app = APP, directory = DIRECTORY } = options
  checkService("daytonaSandbox", { apiKey, app, directory })
  checkPositive("daytonaSandbox", "stopAfterMinutes", options.stopAfterMinutes)
  checkPositive("daytonaSandbox", "deleteAfterMinutes", options.deleteAfterMinutes)
  let last: { readonly key: string; readonly account: Account } | undefined
  const connect = async (secrets: SandboxSecrets | undefined): Promise<Account> => {
    const key = await keyOf(apiKey, secrets)
    if (last?.key === key) return last.account
    const { Daytona: client } = await loaded("@daytona/sdk", () => import("@daytona/sdk"))
    const service = { name: "Daytona", keyName: "DAYTONA_API_KEY", key }
    const { apiUrl, target } = options
    const daytona = new client({
      apiKey: key,
      // Else it keeps a socket open to hear of states that are asked for anyway.
      useDeprecatedPolling: true,
      ...(apiUrl === undefined ? {} : { apiUrl }),
      ...(target === undefined ? {} : { target }),
    })
    last = { key, account: new Account(daytona, service, app, options) }
    return last.account
  }
  return {
    async open(name, secrets) {
      const account = await connect(secrets)
      return new BoxWorkspace(new DaytonaBox(await account.started(name), account.service), directory)
    },
    remove: async (name, secrets) => await (await connect(secrets)).remove(name),
    list: async (secrets) => await (await connect(secrets)).list(),
  }
}

/** The organization of one key. */
class Account {
  readonly service: Service
  readonly #daytona: Daytona
  readonly #app: string
  readonly #options: DaytonaSandboxOptions

  constructor(daytona: Daytona, service: Service, app: string, options: DaytonaSandboxOptions) {
    this.#daytona = daytona
    this.service = service
    this.#app = app
    this.#options = options
  }

  /**
   * The sandbox of a workspace, running. Its name is the workspace's own, so that of two that make it at once one is told that it is there.
   */
  async started(workspace: string): Promise<Sandbox> {
    const name = await sandboxName(this.#app, workspace)
    for (let tries = 1; ; tries += 1) {
      try {
        const found = await this.#found(name)
        if (found === undefined) return await this.#made(name, workspace)
        if (await this.#isRoused(found)) return found
      } catch (error) {
        const told = explained(this.service, error)
        // Another wake makes, starts or stops it at the same time.
        if (told.code !== "CONFLICT" || tries >= TRIES_MAX) throw told
      }
      if (tries >= TRIES_MAX) throw new RouseError("BACKEND_FAILED", `Daytona does not start the sandbox ${name}`)
    }
  }

  async remove(workspace: string): Promise<void> {
    const found = await this.#found(await sandboxName(this.#app, workspace))
    if (found === undefined) return
    try {
      await this.#daytona.delete(found)
    } catch (error) {
      const told = explained(this.service, error)
      if (told.code !== "NOT_FOUND") throw told
    }
  }

  async list(): Promise<readonly string[]> {
    const names: string[] = []
    try {
      for await (const { labels } of this.#daytona.list({ labels: { [LABEL.app]: this.#app } })) {
        const name = labels[LABEL.workspace]
        if (name !== undefined) names.push(name)
      }
    } catch (error) {
      throw explained(this.service, error)
    }
    return names
  }

  async #found(name: string): Promise<Sandbox | undefined> {
    try {
      const found = await this.#daytona.get(name)
      return found.state === "destroyed" ? undefined : found
    } catch (error) {
      const told = explained(this.service, error)
      if (told.code === "NOT_FOUND") return undefined
      throw told
    }
  }

  /** Whether it runs now. False: it is to be looked at again. */
  async #isRoused(sandbox: Sandbox): Promise<boolean> {
    // A text: the service may know states that this SDK does not.
    const state: string = sandbox.state ?? "unknown"
    switch (state) {
      case "started":
        return true
      case "stopped":
      case "paused":
      case "archived":
        await sandbox.start(START_SECONDS_MAX)
        return true
      case "error":
      case "build_failed":
        throw new RouseError("BACKEND_FAILED", `the sandbox ${sandbox.name} is broken: ${sandbox.errorReason ?? ""}`)
      case "stopping":
      case "pausing":
      case "archiving":
        await sandbox.waitUntilStopped(START_SECONDS_MAX)
        return false
      default:
        await sandbox.waitUntilStarted(START_SECONDS_MAX)
        return true
    }
  }

  async #made(name: string, workspace: string): Promise<Sandbox> {
    const { env, network, image, snapshot, stopAfterMinutes = STOP_AFTER_MINUTES, deleteAfterMinutes } = this.#options
    const wanted = {
      name,
      labels: { [LABEL.app]: this.#app, [LABEL.workspace]: workspace },
      autoStopInterval: stopAfterMinutes,
      ...(deleteAfterMinutes === undefined ? {} : { autoDeleteInterval: deleteAfterMinutes }),
      ...(env === undefined ? {} : { envVars: { ...env } }),
      ...(network === undefined ? {} : { networkBlockAll: !network }),
    }
    const limits = { timeout: START_SECONDS_MAX }
    return image === undefined
      ? await this.#daytona.create({ ...wanted, ...(snapshot === undefined ? {} : { snapshot }) }, limits)
      : await this.#daytona.create({ ...wanted, image }, limits)
  }
}

/** A name that people recognise and that is no other workspace's. */
async function sandboxName(app: string, workspace: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(workspace))
  const hex = Array.from(new Uint8Array(digest).subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("")
  const shown = workspace.replace(/[^A-Za-z0-9]+/g, "-").replace(/^-/, "")
  return `${app}-${shown.slice(0, SHOWN_CHARS_MAX)}-${hex}`.toLowerCase()
}
