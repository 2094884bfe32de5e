export { toNodeHandler } from "./handler.ts"
export type { NodeHandler } from "./handler.ts"
export { nodeWebhooks } from "./webhooks.ts"
