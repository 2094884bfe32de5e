export { e2bSandbox } from "./sandbox/e2b.ts"
export type { E2bSandboxOptions } from "./sandbox/e2b.ts"
