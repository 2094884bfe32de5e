/** A server that appends to one file, and syncs it once for all that came while it was syncing. */
import { fdatasync, openSync, write } from "node:fs"
import { promisify } from "node:util"
import { serveTurns } from "./serve-turns.mjs"

const writeTo = promisify(write)
const sync = promisify(fdatasync)
const file = openSync("log", "a")
let waiting = []
let isSyncing = false

serveTurns((lines) => {
  const kept = new Promise((done) => {
    waiting.push({ lines, done })
  })
  if (!isSyncing) void syncAll()
  return kept
})

async function syncAll() {
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
