import { setTimeout as sleep } from "node:timers/promises"
import { createHandler, createWorker } from "@rouse/agents"
import { listen } from "@rouse/server/http"
import { LedgerClient } from "../ledger-client.ts"
import { entitiesOf } from "./entities.ts"
import { effectTools } from "./tools.ts"

/**
 * The handlers under test, out of the server's process: `webhook` or `pull`, the server's address, the ledger's, and the port to listen on.
 * Says `{ url }`, the server's, when the server knows of it.
 */
const VERSION = "v1"
const READY_LOOK_MS = 20
const [way, serverUrl = "", ledgerUrl = "", port = "0"] = process.argv.slice(2)
const ledger = new LedgerClient(ledgerUrl)
const entities = entitiesOf({
  tools: effectTools({ ledger, random: Math.random, rerunOnce: false }),
  random: Math.random,
})
const log = {
  debug: () => undefined,
  info: () => undefined,
  warn: (message: string, fields: unknown) => complain(message, fields),
  error: (message: string, fields: unknown) => complain(message, fields),
}

function complain(message: string, fields: unknown): void {
  process.stderr.write(`handler: ${message} ${JSON.stringify(fields ?? {})}\n`)
}

const options = { entities, server: serverUrl, version: VERSION, log, deltaMs: 5 }

/** Returns what ends it. */
async function serve(): Promise<() => Promise<void>> {
  if (way === "pull") {
    const worker = createWorker({ ...options, capacity: 16 })
    worker.done.catch((error: unknown) => complain("the worker ended", { error: String(error) }))
    return () => worker.stop({ graceMs: 500 })
  }
  const handler = createHandler(options)
  const listening = await listen((request) => handler(request), { host: "127.0.0.1", port: Number(port) })
  const body = JSON.stringify({ url: `${listening.url}/agents` })
  const response = await fetch(`${serverUrl}/v1/types`, { method: "POST", body })
  if (!response.ok) throw new Error(`the handler could not be deployed: ${await response.text()}`)
  return () => listening.close(500)
}

async function isKnown(): Promise<boolean> {
  const { types } = (await (await fetch(`${serverUrl}/v1/types`)).json()) as { readonly types: readonly unknown[] }
  return types.length === entities.length
}

const stop = await serve()
process.once("SIGTERM", () => {
  stop().then(
    () => process.exit(0),
    (error: unknown) => {
      complain("it did not end well", { error: String(error) })
      process.exit(1)
    },
  )
})
process.stdin.on("end", () => process.exit(0)).resume()
while (!(await isKnown())) await sleep(READY_LOOK_MS)
process.stdout.write(`${JSON.stringify({ url: serverUrl })}\n`)
