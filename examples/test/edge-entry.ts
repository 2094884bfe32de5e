/** What an edge function needs of the package: its size is measured. */
export { defineEntity, tool } from "@rouse/agents"
export { createHandler } from "@rouse/agents/edge"
