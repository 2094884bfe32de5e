import { openStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"
import express from "express"

const app = express()
const store = await openStore({ directory: "data", clock: Date.now })
const streams = createStreams({ store, clock: systemClock, random: Math.random })
app.use(toNodeHandler(streams))

app.use(express.json())
app.get("/", (_, response) => void response.send("mine"))
app.listen(process.env["PORT"])
