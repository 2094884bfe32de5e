/** The reference server of the protocol, file-backed, in the working directory, on a free port. */
import { DurableStreamTestServer } from "@durable-streams/server"

const server = new DurableStreamTestServer({ host: "127.0.0.1", port: 0, dataDir: "data" })
await server.start()
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`)
process.on("SIGTERM", () => void server.stop().then(() => process.exit(0)))
