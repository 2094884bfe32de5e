import { setTimeout as sleep } from "node:timers/promises"
import { createToolWorker } from "@rouse/client/worker"

/** The worker of `examples/build.ts`: `node build-worker.ts [server]`. Start as many as there are machines. */
const server = process.argv[2] ?? process.env["ROUSE_URL"] ?? "http://127.0.0.1:4437"
const token = process.env["ROUSE_TOKEN"]
/** How long a build takes here. */
const BUILD_MS = Number(process.env["BUILD_MS"] ?? 120_000)
const STEPS = ["fetching", "compiling", "linking", "packing"]

const worker = createToolWorker({
  server,
  ...(token === undefined ? {} : { token }),
  queues: ["builds"],
  capacity: 2,
  log: console,
  tools: {
    build: async ({ commit }: { commit: string }, { idempotencyKey, attempt, signal, progress, log }) => {
      log.info(`building ${commit}, attempt ${attempt}`)
      for (const [index, message] of STEPS.entries()) {
        progress({ message, fraction: index / STEPS.length })
        await sleep(BUILD_MS / STEPS.length, undefined, { signal })
      }
      // What is stored is stored under the key: a build that runs again stores the same.
      return { artifact: `builds/${encodeURIComponent(idempotencyKey)}.tar`, seconds: BUILD_MS / 1_000 }
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
