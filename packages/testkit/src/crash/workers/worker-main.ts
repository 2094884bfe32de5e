import { setTimeout as sleep } from "node:timers/promises"
import { createToolWorker } from "@rouse/client/worker"
import type { WorkerCall } from "@rouse/client/worker"
import type { Effect } from "@rouse/protocol"
import { LedgerClient } from "../ledger-client.ts"

/** A tool worker whose every effect is on the outside ledger: the server's address, the ledger's, and its name. */
const [server, ledgerUrl, name] = process.argv.slice(2) as [string, string, string]
const PAUSE_MS_MAX = 250
const ledger = new LedgerClient(ledgerUrl)
const pause = (): Promise<void> => sleep(Math.random() * PAUSE_MS_MAX)

interface Input {
  readonly ref: string
}

function effectTool(effect: Effect) {
  return {
    async execute({ ref }: Input, { idempotencyKey, progress }: WorkerCall) {
      await pause()
      progress({ fraction: 0.5 })
      await ledger.record({ key: idempotencyKey, ref, tool: effect, effect })
      await pause()
      return { ref }
    },
    async reconcile({ ref }: Input, { idempotencyKey }: WorkerCall) {
      return (await ledger.find(idempotencyKey)) === undefined ? undefined : { ref }
    },
  }
}

createToolWorker({
  server,
  name,
  capacity: 4,
  tools: {
    pure: effectTool("pure"),
    idempotent: effectTool("idempotent"),
    reconcilable: effectTool("reconcilable"),
    once: effectTool("once"),
  },
})
process.stdin.on("end", () => process.exit(0)).resume()
process.stdout.write(`${JSON.stringify({ url: server })}\n`)
