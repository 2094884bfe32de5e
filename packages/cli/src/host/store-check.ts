import { RouseError } from "@rouse/protocol"
import { openStore } from "@rouse/store"
import { readdir } from "node:fs/promises"
import type { Io } from "../io.ts"

/** Whether the store in an existing directory opens and takes writes. `absent`: it is empty, so one would be made. */
export async function storeProblem(directory: string, io: Io): Promise<"ok" | "absent" | RouseError> {
  if ((await readdir(directory)).length === 0) return "absent"
  try {
    const store = await openStore({ directory, clock: io.now })
    try {
      await store.check()
      return "ok"
    } finally {
      await store.close()
    }
  } catch (error) {
    if (RouseError.is(error)) return error
    throw error
  }
}
