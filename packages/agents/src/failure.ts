import type { Session } from "./session.ts"

const MESSAGE_CHARS_MAX = 4_096

/** The words of a thrown value, for the log: bounded, and without the secrets that this host knows. */
export function redactedMessage(session: Session, error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return session.vault.strictText(text).slice(0, MESSAGE_CHARS_MAX) || "It failed without a reason."
}
