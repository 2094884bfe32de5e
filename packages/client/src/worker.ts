export { createToolWorker } from "./worker/tool-worker.ts"
export type { ToolWorker, ToolWorkerOptions } from "./worker/tool-worker.ts"
export type { WorkerCall, WorkerLog, WorkerTool } from "./worker/tool.ts"
export { RouseError } from "@rouse/protocol"
