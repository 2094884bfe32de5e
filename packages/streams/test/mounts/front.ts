import { openStore } from "@rouse/store"
import { createStreams, systemClock } from "@rouse/streams"
import { createFront } from "@rouse/streams/node"

const store = await openStore({ directory: "data", clock: Date.now })
const streams = createStreams({ store, clock: systemClock, random: Math.random })
createFront(streams, { clock: systemClock }).server.listen(process.env["PORT"])
