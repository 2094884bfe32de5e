import { RouseError } from "@rouse/protocol"
import type { HandlerFailure, WakeAnswer, WakeDelivery } from "@rouse/protocol"
import type { EntityDefinition } from "../entity.ts"
import type { Host } from "../host.ts"
import { runWake } from "../run-wake.ts"
import { vaultOf } from "../secrets/vault.ts"
import type { RemoteBackend } from "./remote-backend.ts"

/** How long a handler may go without a commit when its type does not say. */
const TIMEOUT_MS = 600_000
const TEXT_CHARS_MAX = 16_000

/**
 * Runs one attempt of a wake outside of the server, to its end, and says how it ended. Never rejects.
 *
 * @param deadlineAtMs When the host ends this invocation; the run goes on in another one then.
 */
export async function runAttempt(
  definition: EntityDefinition,
  delivery: WakeDelivery,
  backend: RemoteBackend,
  host: Host,
  deadlineAtMs: number | null,
): Promise<WakeAnswer> {
  const { request } = delivery
  const limits = [request.wake.deadlineAtMs, deadlineAtMs].filter((limit) => limit !== null)
  const wake = { ...request.wake, deadlineAtMs: limits.length > 0 ? Math.min(...limits) : null }
  backend.watch(definition.timeout ?? TIMEOUT_MS)
  try {
    await runWake(definition, { ...request, wake }, backend, host)
    return backend.last ? { kind: "finished", commit: backend.last } : { kind: "continues" }
  } catch (error) {
    if (RouseError.is(error, "SHUTTING_DOWN", "FENCED", "STOPPED", "INTERRUPTED")) return { kind: "released" }
    return { kind: "failed", error: failureOf(error, host) }
  } finally {
    backend.end()
  }
}

function failureOf(error: unknown, host: Host): HandlerFailure {
  const known = error instanceof Error ? error : new Error(String(error))
  return {
    message: redacted(known.message || known.name, host),
    ...(RouseError.is(error) ? { code: error.code } : {}),
    ...(known.stack === undefined ? {} : { stack: redacted(known.stack, host) }),
  }
}

function redacted(text: string, host: Host): string {
  return vaultOf(host).strictText(text).slice(0, TEXT_CHARS_MAX)
}
