export { toNodeHandler } from "./handler.ts"
export type { NodeHandler } from "./handler.ts"
