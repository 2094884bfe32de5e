import type { EndpointHealth } from "@rouse/protocol"
import { type Circuit, CLOSED, circuitRoom, failCircuit, tryCircuit, untryCircuit } from "../core/circuit.ts"
import { isoTime } from "../core/control.ts"

/** Endpoints that are known at once; the one that was used least lately is forgotten. */
const ENDPOINTS_MAX = 10_000

/** How each endpoint that this process sends wakes to has answered of late. */
export class Circuits {
  readonly #circuits = new Map<string, Circuit>()
  readonly #clock: () => number
  readonly #random: () => number
  readonly #dueAt: (ms: number) => void

  /** @param dueAt Called with the time at which an endpoint may be tried again. */
  constructor(clock: () => number, random: () => number, dueAt: (ms: number) => void) {
    this.#clock = clock
    this.#random = random
    this.#dueAt = dueAt
  }

  room(endpoint: string): number {
    return circuitRoom(this.#get(endpoint), this.#clock())
  }

  /** A wake is about to be sent. */
  begin(endpoint: string): void {
    this.#set(endpoint, tryCircuit(this.#get(endpoint)))
  }

  /** It was not sent. */
  cancel(endpoint: string): void {
    this.#set(endpoint, untryCircuit(this.#get(endpoint), this.#clock()))
  }

  /** Whether the wake under way there is a probe: what goes wrong then is not the wake's fault. */
  isProbing(endpoint: string): boolean {
    return this.#get(endpoint).kind === "probing"
  }

  succeed(endpoint: string): void {
    const before = this.#circuits.get(endpoint)
    if (before === undefined) return
    this.#circuits.delete(endpoint)
    if (before.kind !== "closed") this.#dueAt(this.#clock())
  }

  fail(endpoint: string, reason: string): void {
    const next = failCircuit(this.#get(endpoint), reason, this.#clock(), this.#random())
    this.#set(endpoint, next)
    if (next.kind === "open") this.#dueAt(next.untilMs)
  }

  health(endpoint: string): EndpointHealth {
    const circuit = this.#get(endpoint)
    return {
      state: circuit.kind === "closed" ? "ok" : circuit.kind,
      failures: circuit.failures,
      ...(circuit.reason === undefined ? {} : { reason: circuit.reason }),
      ...(circuit.kind === "open" ? { retryAt: isoTime(circuit.untilMs) } : {}),
    }
  }

  #get(endpoint: string): Circuit {
    return this.#circuits.get(endpoint) ?? CLOSED
  }

  #set(endpoint: string, circuit: Circuit): void {
    if (circuit === CLOSED) return
    this.#circuits.delete(endpoint)
    this.#circuits.set(endpoint, circuit)
    const [oldest] = this.#circuits.keys()
    if (this.#circuits.size > ENDPOINTS_MAX && oldest !== undefined) this.#circuits.delete(oldest)
  }
}
