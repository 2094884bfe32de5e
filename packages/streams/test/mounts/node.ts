import { createServer } from "node:http"
import { openStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"

const store = await openStore({ directory: "data", clock: Date.now })
const streams = createStreams({ store, clock: systemClock, random: Math.random })
createServer(toNodeHandler(streams)).listen(process.env["PORT"])
