import type { Log } from "@rouse/server"

/**
 * What an author's code throws where nobody waits for it. A rejected promise is logged and hurts nobody else. After an
 * exception
 * the process cannot be trusted: it is logged, and the process ends with 1; what ran goes on at the next start.
 */
export function onCrash(log: Log): void {
  process.on("unhandledRejection", (reason) =>
    log.error("a promise was rejected and nobody waited for it", { error: stackOf(reason) }),
  )
  process.on("uncaughtException", (error) => {
    log.error("an exception was not caught", { error: stackOf(error) })
    process.exit(1)
  })
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
}
