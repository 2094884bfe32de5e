import { parentPort, workerData } from "node:worker_threads"
import { connectCheckpointer } from "./connect.ts"
import type { Tuning } from "./connect.ts"

/** The helper thread of `Checkpoints`: moves what it can of the WAL into the file whenever it is told to. */
const { file, tuning } = workerData as { readonly file: string; readonly tuning: Tuning }
const db = connectCheckpointer(file, tuning)
const checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)")

parentPort?.on("message", () => {
  try {
    checkpoint.get()
    parentPort?.postMessage(null)
  } catch (error) {
    /** Nothing is lost: the pages stay in the log and the writer asks again. */
    parentPort?.postMessage(String(error))
  }
})
