export { sandboxTools } from "./sandbox/tools.ts"
export { removeWorkspace, sweepWorkspaces } from "./sandbox/workspaces.ts"
export type { WorkspaceInfo } from "./sandbox/workspaces.ts"
export type { SandboxOptions } from "./sandbox/tools.ts"
export type {
  RunOptions,
  RunResult,
  SandboxProvider,
  SandboxSecrets,
  SearchOptions,
  SearchResult,
  Workspace,
} from "./sandbox/provider.ts"
