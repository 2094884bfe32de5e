export { mcpStdio } from "./node/mcp-stdio.ts"
export type { McpStdioOptions } from "./node/mcp-stdio.ts"
