/** What `fan-out` runs on `rouse start`: agents that are told of changes, and do nothing about them. */
import { defineEntity, type EntityDefinition } from "@rouse/agents"

export const watcher: EntityDefinition = defineEntity("watcher", {
  handler: (ctx, wake) => ctx.reply(wake.changes.length),
})
