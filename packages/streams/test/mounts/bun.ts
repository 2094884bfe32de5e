import { openStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"

const store = await openStore({ directory: "data", clock: Date.now })
const streams = createStreams({ store, clock: systemClock, random: Math.random })
export default { port: process.env["PORT"], fetch: (request: Request) => streams.fetch(request) }
