import { defineEntity } from "@rouse/agents"
import { silentLog } from "@rouse/agents/runtime"
import { openStore } from "@rouse/store"
import { createServer } from "../../src/index.ts"

/** A server to be killed: its data directory, and how far its clock is ahead. It sweeps ten times a second. */
const [, , directory = "", aheadMs = "0"] = process.argv
const clock = (): number => Date.now() + Number(aheadMs)
const store = await openStore({ directory, clock, random: Math.random })
const server = createServer({
  store,
  entities: [defineEntity("agent", { handler: async () => undefined })],
  clock,
  random: Math.random,
  defer: (ms, fn) => {
    const timer = setTimeout(fn, ms === 60_000 ? 100 : ms)
    return () => clearTimeout(timer)
  },
  log: silentLog,
  host: { clock, random: Math.random, log: silentLog },
})
await server.start()
const { url } = await server.listen({ host: "127.0.0.1", port: 0 })
process.stdout.write(`${JSON.stringify({ url })}\n`)
