export { localSandbox } from "./node/local-sandbox.ts"
export type { LocalSandboxOptions } from "./node/local-sandbox.ts"
export type { ShellLimits } from "./node/local-shell.ts"
