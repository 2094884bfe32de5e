export { removeWorkspace, sandboxTools } from "./sandbox/tools.ts"
export type { SandboxOptions } from "./sandbox/tools.ts"
export type {
  RunOptions,
  RunResult,
  SandboxProvider,
  SearchOptions,
  SearchResult,
  Workspace,
} from "./sandbox/provider.ts"
