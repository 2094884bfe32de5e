export { codeTool } from "./code/tool.ts"
export type { CodeResult, CodeToolOptions } from "./code/tool.ts"
export type { CodeCall } from "./code/calls.ts"
export type { CodeWasm } from "./code/engine.ts"
