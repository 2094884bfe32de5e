import { defineEntity } from "@rouse/agents"
import { createServer, silentLog } from "@rouse/server"
import { openStore } from "@rouse/store"

/** A server that is to be killed: a data directory and a port. Says `ready` when it serves. */

const [directory = "", port = "0"] = process.argv.slice(2)

const assistant = defineEntity("assistant", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "You are helpful.", model: "rouse/echo" })
    await ctx.agent.run()
  },
})

const store = await openStore({ directory, clock: Date.now })
const host = { clock: Date.now, random: Math.random, log: silentLog }
const defer = (ms: number, fn: () => void): (() => void) => {
  const timer = setTimeout(fn, ms)
  return () => clearTimeout(timer)
}
const server = createServer({ store, entities: [assistant], defer, host, ...host })
await server.start()
await server.listen({ host: "127.0.0.1", port: Number(port) })
process.stdout.write("ready\n")
process.stdin.on("end", () => process.exit(0)).resume()
