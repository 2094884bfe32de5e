import { backoffMs } from "@rouse/protocol"

/**
 * Whether an endpoint that handlers are behind may be tried. Pure: the clock and the jitter are arguments.
 *
 * ```
 * closed ──failures in a row──▶ open ──time──▶ probing ──success──▶ closed
 *                                ▲               └────failure────┐
 *                                └───────────────────────────────┘ for longer
 * ```
 */
export type Circuit =
  | { readonly kind: "closed"; readonly failures: number; readonly reason?: string }
  | { readonly kind: "open"; readonly failures: number; readonly untilMs: number; readonly reason: string }
  | { readonly kind: "probing"; readonly failures: number; readonly reason: string }

export const CLOSED: Circuit = { kind: "closed", failures: 0 }

/** Failures in a row after which an endpoint is left alone. */
export const FAILURES_MAX = 5
const PAUSE_MS_FIRST = 1_000
const PAUSE_MS_MAX = 30_000

/** How many more wakes may be sent there. */
export function circuitRoom(circuit: Circuit, nowMs: number): number {
  if (circuit.kind === "closed") return Number.POSITIVE_INFINITY
  return circuit.kind === "open" && circuit.untilMs <= nowMs ? 1 : 0
}

/** A wake is about to be sent: the first after a pause is the probe. */
export function tryCircuit(circuit: Circuit): Circuit {
  return circuit.kind === "open" ? { kind: "probing", failures: circuit.failures, reason: circuit.reason } : circuit
}

/** The probe was not sent after all. */
export function untryCircuit(circuit: Circuit, nowMs: number): Circuit {
  return circuit.kind === "probing" ? { ...circuit, kind: "open", untilMs: nowMs } : circuit
}

/** The endpoint did not do its part. @param random Uniform in [0, 1). */
export function failCircuit(circuit: Circuit, reason: string, nowMs: number, random: number): Circuit {
  const failures = circuit.failures + 1
  if (circuit.kind === "open") return circuit
  if (circuit.kind === "closed" && failures < FAILURES_MAX) return { kind: "closed", failures, reason }
  const pauseMs = backoffMs(Math.max(1, failures - FAILURES_MAX + 1), PAUSE_MS_FIRST, PAUSE_MS_MAX, random)
  return { kind: "open", failures, reason, untilMs: nowMs + pauseMs }
}
