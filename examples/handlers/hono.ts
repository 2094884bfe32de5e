import { serve } from "@hono/node-server"
import { createHandler } from "@rouse/agents"
import { Hono } from "hono"
import { parcels } from "./agents.ts"

/** An app of your own, with agents at one of its routes: `ROUSE_URL=http://127.0.0.1:4437 node hono.ts`, then `rouse deploy`. */
const handler = createHandler({ entities: [parcels], version: "v1" })
const app = new Hono()
app.get("/", (c) => c.text("an app"))
app.post("/agents", (c) => handler(c.req.raw))

serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 3000) }, ({ port }) =>
  process.stdout.write(`http://127.0.0.1:${port}/agents\n`),
)
