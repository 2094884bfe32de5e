/** A server that appends to one file, and syncs it once for all that came while it was syncing. */
import { fdatasync, openSync, write } from "node:fs"
import { promisify } from "node:util"
import { serveTurns } from "./serve-turns.ts"

const writeTo = promisify(write)
const sync = promisify(fdatasync)
const file = openSync("log", "a")
let waiting: { readonly lines: string; readonly done: () => void }[] = []
let isSyncing = false

serveTurns((lines) => {
  const kept = new Promise<void>((done) => {
    waiting.push({ lines, done })
  })
  if (!isSyncing) void syncAll()
  return kept
})

async function syncAll(): Promise<void> {
  isSyncing = true
  while (waiting.length > 0) {
    const group = waiting
    waiting = []
    await writeTo(file, group.map(({ lines }) => lines).join(""))
    await sync(file)
    for (const { done } of group) done()
  }
  isSyncing = false
}
