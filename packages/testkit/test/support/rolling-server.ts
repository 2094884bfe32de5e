import { flushCompileCache } from "node:module"
import { defineEntity } from "@rouse/agents"
import { MIGRATIONS } from "../../../store/src/postgres/schema.ts"
import { openAtVersion } from "../../../store/src/postgres/open.ts"
import { LATER } from "../../../store/test/support/later-schema.ts"
import { serveChild } from "../../src/crash/serve-child.ts"

/** A server of an older Rouse, or of a later one, on the database that it is told. */
const [url = "", age] = process.argv.slice(2)
const agent = defineEntity("agent", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "Answer.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})
await serveChild({
  directory: "",
  open: () => openAtVersion({ url, clock: Date.now }, age === "later" ? LATER : MIGRATIONS),
  port: 0,
  graceMs: 5_000,
  deltaMs: 5,
  entities: [agent],
})
flushCompileCache()
