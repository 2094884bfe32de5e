import { serve } from "@hono/node-server"
import { openStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"
import { Hono } from "hono"

const app = new Hono()
const store = await openStore({ directory: "data", clock: Date.now })
const streams = createStreams({ store, clock: systemClock, random: Math.random })
app.all("/v1/stream/*", (c) => streams.fetch(c.req.raw))

app.get("/", (c) => c.text("mine"))
serve({ fetch: app.fetch, port: Number(process.env["PORT"]) })
