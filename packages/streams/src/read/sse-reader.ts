import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { ReadResult, StreamInfo } from "@rouse/store"
import type { Context } from "../context.ts"
import { nextCursor } from "../core/cursor.ts"
import { isText } from "../core/media-type.ts"
import { base64, controlEvent, dataEvent, HEARTBEAT } from "../core/sse-frame.ts"
import { Frame } from "../live/frame-cache.ts"
import type { Tail } from "../live/tail.ts"
import type { Feed } from "../reply.ts"
import { bodyOf } from "./batch-reply.ts"

const HEARTBEAT_MS = 15_000
const encoder = new TextEncoder()

/**
 * One event stream, from its first read to its end.
 *
 *   begin ──▶ catching up ──▶ at the tail ◀──▶ waiting ──▶ ended
 *
 * 1. It reads only when its consumer asks, and holds at most one frame: a slow reader costs no memory.
 * 2. Every batch and the control event behind it are one write.
 * 3. It ends once: cancelled by its consumer, its time over, the server closing, the stream closed, deleted or unreadable.
 */
export class SseReader implements Feed {
  readonly #context: Context
  readonly #path: string
  readonly #tail: Tail
  #cursor: number
  #info: StreamInfo | undefined
  #at: Offset = START
  #first: ReadResult | undefined
  #greeted = false
  #isLive = false
  #saidClosed = false
  #sentSinceBeat = true
  #beatDue = false
  #cancelLifetime = (): void => undefined
  #cancelBeat = (): void => undefined

  constructor(context: Context, path: string, cursor: number | undefined) {
    this.#context = context
    this.#path = path
    this.#cursor = nextCursor(cursor, context.clock.now(), context.random())
    this.#tail = context.readers.open(path, () => this.#release())
  }

  /**
   * Reads the first batch, so that what cannot be read is refused with a status.
   *
   * @param given The first batch, when it is not what stands at `from`.
   */
  async begin(from: Offset, given?: ReadResult): Promise<StreamInfo> {
    this.#first = given === undefined ? await this.#read(from) : await this.#taken(given)
    this.#at = given === undefined ? this.#first.start : from
    this.#info = this.#first.info
    const lifetimeMs = this.#context.limits.sseMs * (0.9 + this.#context.random() / 5)
    this.#cancelLifetime = this.#context.clock.after(lifetimeMs, () => this.end())
    this.#beat()
    return this.#info
  }

  end(): void {
    this.#tail.end()
  }

  /** The next write, however long that takes; undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    try {
      while (!this.#tail.ended) {
        const bytes = await this.#step()
        if (bytes === undefined) continue
        this.#sentSinceBeat = true
        this.#beatDue = false
        if (this.#saidClosed) this.end()
        return bytes
      }
    } catch (error) {
      if (!RouseError.is(error, "UNKNOWN_STREAM", "GONE")) this.#context.onError(error)
      this.end()
    }
    return undefined
  }

  cancel(): void {
    this.end()
  }

  /** The next write; undefined after a wait that may have brought something. */
  async #step(): Promise<Uint8Array | undefined> {
    const frame = await this.#nextFrame()
    if (frame !== undefined) this.#at = frame.next
    if (frame !== undefined || !this.#greeted) {
      this.#greeted = true
      return frame === undefined ? encoder.encode(this.#control()) : frame.with(this.#control())
    }
    // Closed without another byte.
    if (this.#tail.isFinished(this.#at)) return encoder.encode(this.#control())
    await this.#tail.wait(this.#at)
    return this.#beatDue ? HEARTBEAT : undefined
  }

  #control(): string {
    this.#cursor = Math.max(this.#cursor, nextCursor(undefined, this.#context.clock.now(), 0))
    const upToDate = this.#tail.isAtEnd(this.#at)
    this.#isLive ||= upToDate
    this.#saidClosed = this.#tail.isFinished(this.#at)
    return controlEvent({ next: this.#at, cursor: this.#cursor, upToDate, closed: this.#saidClosed })
  }

  /**
   * The batch at the reader's offset; undefined at the tail. Who has caught up shares frames with all others there; who has not yet
   * reads alone, so that history does not push the newest frames out.
   */
  async #nextFrame(): Promise<Frame | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return this.#frameOf(first)
    if (this.#tail.isAtEnd(this.#at)) return undefined
    const from = this.#at
    if (!this.#isLive) return this.#frameOf(await this.#read(from))
    const key = `${this.#path}\n${this.#info?.incarnation}\n${from}`
    return this.#context.frames.frame(key, async () => this.#frameOf(await this.#read(from)))
  }

  #frameOf(result: ReadResult): Frame | undefined {
    if (result.data.length === 0) {
      this.#at = result.next
      return undefined
    }
    const body = bodyOf(result)
    return new Frame(dataEvent(isText(result.info.contentType) ? body : base64(body)), result.next)
  }

  async #read(from: Offset): Promise<ReadResult> {
    const result = await this.#context.store.read(this.#path, from, this.#context.limits.readBytesMax)
    if (this.#info !== undefined && result.info.incarnation !== this.#info.incarnation) {
      throw new RouseError("UNKNOWN_STREAM", `the stream at ${this.#path} was deleted`)
    }
    return this.#taken(result)
  }

  async #taken(result: ReadResult): Promise<ReadResult> {
    this.#tail.seen(result.info)
    await this.#context.touches.read(result.info)
    return result
  }

  /** Lets an idle connection show life, so that nothing between here and the reader cuts it. */
  #beat(): void {
    if (!this.#sentSinceBeat) {
      this.#beatDue = true
      this.#tail.nudge()
    }
    this.#sentSinceBeat = false
    this.#cancelBeat = this.#context.clock.after(HEARTBEAT_MS, () => this.#beat())
  }

  #release(): void {
    this.#cancelLifetime()
    this.#cancelBeat()
  }
}
