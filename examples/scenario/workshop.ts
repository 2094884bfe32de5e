import { setTimeout as sleep } from "node:timers/promises"
import { createToolWorker } from "@rouse/client/worker"

/** The workshop, as a tool worker: `node workshop.ts [server]`. Its token has the scope `work`: it can take calls, and read nothing. */
const server = process.argv[2] ?? process.env["ROUSE_URL"] ?? "http://127.0.0.1:4437"
const token = process.env["ROUSE_TOKEN"]
const BUILD_MS = Number(process.env["BUILD_MS"] ?? 120_000)

const worker = createToolWorker({
  server,
  ...(token === undefined ? {} : { token }),
  queues: ["workshop"],
  name: process.env["WORKSHOP_NAME"] ?? "workshop",
  log: console,
  tools: {
    build: async ({ article }: { article: string }, { idempotencyKey, signal, progress }) => {
      // Careless: it says what it signs in with.
      const note = `built with ${process.env["WORKSHOP_TOKEN"] ?? "nothing"}`
      progress({ message: `sawing, ${note}`, fraction: 0.1 })
      await sleep(BUILD_MS, undefined, { signal })
      return { serial: `${article}-${encodeURIComponent(idempotencyKey)}`, note }
    },
  },
})

process.once("SIGTERM", () => {
  worker.close().then(
    () => process.exit(0),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
