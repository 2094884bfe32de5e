import { RouseError } from "@rouse/protocol"
import type { EntityInfo } from "@rouse/protocol"
import type { SandboxProvider, SandboxSecrets } from "./provider.ts"

/** Whose a workspace is. */
export interface WorkspaceInfo {
  /** The agent's address. */
  readonly url: string
  /** When that agent was made: one that was made again at the same address has another workspace. */
  readonly createdAt: string
  /** The wake's id, or whatever `workspace` said. Undefined: the agent's own. */
  readonly workspace: string | undefined
}

/** Removes an agent's workspace, or the one of a wake. */
export async function removeWorkspace(
  provider: SandboxProvider,
  entity: Pick<EntityInfo, "url" | "createdAt">,
  workspace?: string,
  secrets?: SandboxSecrets,
): Promise<void> {
  await provider.remove(workspaceName(entity, workspace), secrets)
}

/**
 * Removes the workspaces that nobody wants any more: of agents that were deleted, of wakes that are over. Those that are not named by
 * `sandboxTools` are left alone.
 *
 * @param isWanted Asked of each, one after the other. When it throws, nothing more is removed.
 * @returns Those that were removed.
 * @throws {RouseError} `INVALID_ARGS` for a provider that cannot list its workspaces.
 */
export async function sweepWorkspaces(
  provider: SandboxProvider,
  isWanted: (workspace: WorkspaceInfo) => boolean | Promise<boolean>,
  secrets?: SandboxSecrets,
): Promise<readonly WorkspaceInfo[]> {
  if (provider.list === undefined) throw new RouseError("INVALID_ARGS", "this sandbox cannot list its workspaces")
  const removed: WorkspaceInfo[] = []
  for (const name of await provider.list(secrets)) {
    const workspace = parseWorkspaceName(name)
    if (workspace === undefined || (await isWanted(workspace))) continue
    await provider.remove(name, secrets)
    removed.push(workspace)
  }
  return removed
}

/** A name of one agent alone: also not of one made again at the same address. */
export function workspaceName(
  { url, createdAt }: Pick<EntityInfo, "url" | "createdAt">,
  workspace: string | undefined,
): string {
  return `${url}@${createdAt}${workspace === undefined ? "" : `/${workspace}`}`
}

function parseWorkspaceName(name: string): WorkspaceInfo | undefined {
  const [, url, createdAt, workspace] = /^(\/[^/@]+\/[^/@]+)@([^/]+)(?:\/(.*))?$/s.exec(name) ?? []
  return url === undefined || createdAt === undefined ? undefined : { url, createdAt, workspace }
}
