import { RouseError } from "@rouse/protocol"
import type { Defer } from "./plane.ts"

/** Between two tries while the store cannot be used, milliseconds. */
const AGAIN_MS = 250

/**
 * Does what needs the store again while the store says that it did nothing and cannot now: a database that restarts or moves is away for seconds, and
 * what is under way need not fail for it.
 *
 * @param mayWait Asked before each wait.
 * @throws what `work` throws, when it is something else or waiting is over.
 */
export async function patiently<T>(defer: Defer, mayWait: () => boolean, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!RouseError.is(error, "STORE_UNAVAILABLE") || !mayWait()) throw error
      await new Promise<void>((resolve) => void defer(AGAIN_MS, resolve))
    }
  }
}
