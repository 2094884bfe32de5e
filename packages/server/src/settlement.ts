import {
  entityStreamPath,
  type EntityUrl,
  type MessageRow,
  type Offset,
  RouseError,
  type RunRow,
  type Settled,
} from "@rouse/protocol"
import { anyRow } from "./history.ts"
import type { Plane } from "./plane.ts"

/** How long after a change of the log a message is looked for that no commit of this process settled. */
const LOOK_MS = 20
/** The same while the wake that it waits for is under way here: what settles it will be told. */
const LOOK_ACTIVE_MS = 500

const TERMINAL: ReadonlySet<MessageRow["status"]> = new Set(["processed", "cancelled", "dead"])

/** Whether a message has come to its end (P1). */
export function isTerminal(status: MessageRow["status"]): boolean {
  return TERMINAL.has(status)
}

/**
 * What came of a message so far.
 *
 * @throws {RouseError} `UNKNOWN_ENTITY` when there is no such message.
 */
export async function settledOf(plane: Plane, url: EntityUrl, key: string): Promise<Settled> {
  const row = await anyRow(plane, url, "message", key)
  if (!row) throw new RouseError("UNKNOWN_ENTITY", `${url} has no message ${key}`)
  const message = row.value as unknown as MessageRow
  const run = message.run === undefined ? undefined : await anyRow(plane, url, "run", message.run)
  const info = await plane.store.stream(entityStreamPath(url))
  if (!info) throw new RouseError("UNKNOWN_ENTITY", `${url} was deleted`)
  return {
    url,
    message: key,
    offset: info.next,
    status: message.status,
    reply: isTerminal(message.status) ? ((run?.value as unknown as RunRow | undefined)?.reply ?? null) : null,
    ...(message.run === undefined ? {} : { run: message.run }),
    ...(message.reason === undefined ? {} : { reason: message.reason }),
  }
}

/**
 * Waits until a message is settled, `waitMs` have passed, or `signal` aborts; answers what came of it by then.
 *
 * A settlement by this process is told by its commit. One by another process shows on the log, which is looked at a moment after it
 * changed, so that the usual case needs no look.
 */
export async function waitForSettled(
  plane: Plane,
  url: EntityUrl,
  key: string,
  waitMs: number,
  signal: AbortSignal,
): Promise<Settled> {
  const told = Promise.withResolvers<Settled | undefined>()
  const giveUp = (): void => told.resolve(undefined)
  let cancelLook = (): void => undefined
  const look = (): void => {
    if (plane.dispatcher.isActive(url)) return lookSoon(LOOK_ACTIVE_MS)
    plane.store.row(url, "message", key).then((row) => {
      const status = (row?.value as unknown as MessageRow | undefined)?.status
      if (status === undefined || isTerminal(status)) giveUp()
    }, told.reject)
  }
  const lookSoon = (afterMs = LOOK_MS): void => {
    cancelLook()
    cancelLook = plane.defer(afterMs, look)
  }
  const unwatch = plane.settlements.watch(url, key, told.resolve)
  const unfollow = plane.store.watchStream(entityStreamPath(url), () => lookSoon())
  const cancel = plane.defer(waitMs, giveUp)
  signal.addEventListener("abort", giveUp, { once: true })
  try {
    const row = await plane.transactor.row(url, "message", key)
    if (!row || isTerminal((row.value as unknown as MessageRow).status)) giveUp()
    else lookSoon()
    return (await told.promise) ?? (await settledOf(plane, url, key))
  } finally {
    signal.removeEventListener("abort", giveUp)
    unwatch()
    unfollow()
    cancel()
    cancelLook()
  }
}

/** Says when a stream has changed since it was last asked. Made before the first look, so that no change falls between. */
export class Changes {
  readonly close: () => void
  #offset: Offset | undefined
  #changed = false
  #wake: () => void = () => undefined
  ended = false

  constructor(plane: Plane, path: string) {
    this.close = plane.store.watchStream(path, (event) => {
      this.#offset = event.next
      this.#changed = true
      if (event.deleted) this.ended = true
      this.#wake()
    })
  }

  /** The newest offset that was announced. */
  get offset(): Offset | undefined {
    return this.#offset
  }

  /** Resolves at the next change, or at once if there was one since the last call. */
  async next(): Promise<void> {
    if (!this.#changed && !this.ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    this.#changed = false
  }

  /** Lets whoever waits go on for good. */
  end(): void {
    this.ended = true
    this.#wake()
  }
}
