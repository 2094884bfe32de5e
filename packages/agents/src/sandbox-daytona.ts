export { daytonaSandbox } from "./node/daytona-sandbox.ts"
export type { DaytonaSandboxOptions } from "./node/daytona-sandbox.ts"
