/** What an edge function needs of the package: its size is measured. */
export { createHandler, defineEntity, tool } from "@rouse/agents"
