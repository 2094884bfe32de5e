import { type Principal, RouseError, type ToolClaim, type ToolClaimBody, type ToolClaims } from "@rouse/protocol"
import type { Plane } from "../plane.ts"
import { takeCalls } from "./claims.ts"
import { release } from "./reports.ts"

/** Workers that may wait here at once. */
const WAITING_MAX = 10_000
/** How long a wait goes on without a look: what another server put in a queue is seen within it. */
const LOOK_MS = 1_000

/**
 * Where workers wait for calls. What waits in queues is in the store: this holds the requests of workers, and nothing of agents.
 *
 * Invariants:
 * 1. One takes at a time, so that the bound on a tool's calls holds in this process.
 * 2. A worker that went away while it was given something gives it back.
 */
export class WorkDesk {
  readonly #plane: () => Plane
  /** When this process began: see `fireWork`. */
  readonly startedAtMs: number
  #waiting = new Set<() => void>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(plane: () => Plane, startedAtMs: number) {
    this.#plane = plane
    this.startedAtMs = startedAtMs
  }

  /** There may be something to take. */
  notify(): void {
    const waiting = this.#waiting
    this.#waiting = new Set()
    for (const look of waiting) look()
  }

  /**
   * Takes calls, and waits for the first when there are none.
   *
   * @throws {RouseError} `OVERLOADED` when too many workers wait here.
   */
  async claim(body: ToolClaimBody, by: Principal, gone: AbortSignal): Promise<ToolClaims> {
    const plane = this.#plane()
    const untilMs = plane.clock() + (body.waitMs ?? 0)
    for (;;) {
      const news = this.#news(gone)
      const claims = gone.aborted ? [] : await this.#inTurn(() => takeCalls(plane, body))
      const leftMs = untilMs - plane.clock()
      if (claims.length > 0 || leftMs <= 0 || gone.aborted) {
        news.forget()
        if (!gone.aborted) return { claims }
        await this.#giveBack(claims, by)
        // Also when its request ends because this server stops: what was given back is not handed out.
        return { claims: [] }
      }
      await news.within(Math.min(leftMs, LOOK_MS))
    }
  }

  async #inTurn<T>(take: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(take)
    this.#turn = mine.catch((error: unknown) => this.#plane().log.debug("a claim failed", { error: String(error) }))
    return await mine
  }

  async #giveBack(claims: readonly ToolClaim[], by: Principal): Promise<void> {
    for (const { entity: url, call, claim } of claims)
      await release(this.#plane(), { url, call, by }, { claim, begun: false })
  }

  /** Listens before it looks, so that nothing is missed in between. */
  #news(gone: AbortSignal): { within(ms: number): Promise<void>; forget(): void } {
    if (this.#waiting.size >= WAITING_MAX)
      throw new RouseError("OVERLOADED", `${WAITING_MAX} workers wait for calls here; ask again later`)
    let wake = (): void => undefined
    const heard = new Promise<void>((resolve) => {
      wake = resolve
    })
    this.#waiting.add(wake)
    gone.addEventListener("abort", wake, { once: true })
    const forget = (): void => {
      this.#waiting.delete(wake)
      gone.removeEventListener("abort", wake)
    }
    return {
      forget,
      within: async (ms) => {
        const cancel = this.#plane().defer(ms, wake)
        await heard
        cancel()
        forget()
      },
    }
  }
}
