import { RouseError, START } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import type { ReadResult, StreamInfo } from "@rouse/store"
import type { Context } from "../context.ts"
import { nextCursor } from "../core/cursor.ts"
import { isText } from "../core/media-type.ts"
import type { Control } from "../core/sse-frame.ts"
import { base64, controlEvent, dataEvent, HEARTBEAT } from "../core/sse-frame.ts"
import { Frame } from "../live/frame-cache.ts"
import type { Tail, Ticking } from "../live/tail.ts"
import type { Feed, Waiter } from "../reply.ts"
import { bodyOf, PIECE_BYTES } from "./batch-reply.ts"

const HEARTBEAT_MS = 15_000
const encoder = new TextEncoder()
/** Of a life, to either side, so that those who came together do not come back together. */
const LIFE_JITTER = 0.1

/**
 * One event stream, from its first read to its end.
 *
 *   begin ──▶ catching up ──▶ at the tail ◀──▶ waiting ──▶ ended
 *
 * 1. It reads only when its consumer asks, and holds at most one frame: a slow reader costs no memory.
 * 2. Every batch and the control event behind it are one write.
 * 3. It ends once: cancelled by its consumer, its time over, the server closing, the stream closed, deleted or unreadable.
 * 4. Waiting it holds no promise, timer or buffer of its own: there may be many thousands.
 */
export class SseReader implements Feed, Ticking {
  readonly #context: Context
  readonly #tail: Tail
  #cursor: number
  #incarnation: string | undefined
  #at: Offset = START
  /** What was read and not yet given out. */
  #read: ReadResult | Frame | undefined
  #isReading = false
  #greeted = false
  #isLive = false
  #saidClosed = false
  #sentSinceBeat = true
  #beatDue = false
  #beatTick = 0
  #endTick = 0

  constructor(context: Context, path: string, cursor: number | undefined) {
    this.#context = context
    this.#cursor = nextCursor(cursor, context.clock.now(), context.random())
    this.#tail = context.readers.open(path, this)
  }

  /**
   * Reads the first batch, so that what cannot be read is refused with a status.
   *
   * @param given The first batch, when it is not what stands at `from`.
   */
  async begin(from: Offset, given?: ReadResult): Promise<StreamInfo> {
    const first = given === undefined ? await this.#fetch(from) : await this.#taken(given)
    const { readers, limits, random } = this.#context
    this.#read = first
    this.#at = given === undefined ? first.start : from
    this.#incarnation = first.info.incarnation
    const lifeMs = limits.sseMs * (1 - LIFE_JITTER + random() * 2 * LIFE_JITTER)
    this.#endTick = readers.nowTick + Math.max(1, Math.floor(lifeMs / readers.tickMs))
    this.#beatTick = readers.nowTick + this.#beatTicks
    return first.info
  }

  end(): void {
    this.#tail.end()
  }

  cancel(): void {
    this.end()
  }

  poll(waiter: Waiter): Uint8Array | null | undefined {
    // Whoever asks does not wait: it must not be called while it is answered.
    this.#tail.onWake(undefined)
    if (this.#tail.ended) return null
    try {
      const bytes = this.#next(waiter)
      if (bytes === undefined) {
        this.#tail.onWake(waiter)
        return undefined
      }
      this.#sentSinceBeat = true
      this.#beatDue = false
      if (this.#saidClosed) this.end()
      return bytes
    } catch (error) {
      this.#fail(error)
      return null
    }
  }

  /** Lets an idle connection show life, so that nothing between here and the reader cuts it; and ends it when its time is over. */
  tick(nowTick: number): void {
    if (this.#endTick === 0) return
    if (nowTick >= this.#endTick) return this.end()
    if (nowTick < this.#beatTick) return
    this.#beatTick = nowTick + this.#beatTicks
    const isQuiet = !this.#sentSinceBeat
    this.#sentSinceBeat = false
    if (!isQuiet) return
    this.#beatDue = true
    this.#tail.nudge()
  }

  get #beatTicks(): number {
    return Math.max(1, Math.floor(HEARTBEAT_MS / this.#context.readers.tickMs))
  }

  /** The next write; undefined when there is none now. */
  #next(waiter: Waiter): Uint8Array | undefined {
    const frame = this.#nextFrame(waiter)
    if (this.#isReading) return undefined
    if (frame !== undefined) this.#at = frame.next
    if (frame !== undefined || !this.#greeted) {
      this.#greeted = true
      return frame === undefined ? this.#bare() : frame.with(this.#control())
    }
    // Closed without another byte.
    if (this.#tail.isFinished(this.#at)) return this.#bare()
    return this.#beatDue ? HEARTBEAT : undefined
  }

  /** A control event alone. */
  #bare(): Uint8Array {
    return encoder.encode(controlEvent({ next: this.#at, ...this.#control() }))
  }

  #control(): Omit<Control, "next"> {
    this.#cursor = Math.max(this.#cursor, nextCursor(undefined, this.#context.clock.now(), 0))
    const upToDate = this.#tail.isAtEnd(this.#at)
    this.#isLive ||= upToDate
    this.#saidClosed = this.#tail.isFinished(this.#at)
    return { cursor: this.#cursor, upToDate, closed: this.#saidClosed }
  }

  /**
   * The batch at the reader's offset; undefined at the tail, and while it is read. Who has caught up shares frames with all others there;
   * who has not yet reads alone, so that history does not push the newest frames out.
   */
  #nextFrame(waiter: Waiter): Frame | undefined {
    const read = this.#read
    this.#read = undefined
    if (read !== undefined) return read instanceof Frame ? read : this.#frameOf(read)
    if (this.#isReading || this.#tail.isAtEnd(this.#at)) return undefined
    const from = this.#at
    const load = async (): Promise<Frame | undefined> => this.#frameOf(await this.#fetch(from))
    if (!this.#isLive) return this.#await(load(), waiter)
    const key = `${this.#tail.path}\n${this.#incarnation}\n${from}`
    return this.#context.frames.known(key) ?? this.#await(this.#context.frames.load(key, load), waiter)
  }

  #await(loading: Promise<Frame | undefined>, waiter: Waiter): undefined {
    this.#isReading = true
    void this.#awaited(loading, waiter)
  }

  async #awaited(loading: Promise<Frame | undefined>, waiter: Waiter): Promise<void> {
    try {
      this.#read = await loading
    } catch (error) {
      this.#fail(error)
    }
    this.#isReading = false
    waiter.ready()
  }

  #fail(error: unknown): void {
    if (!RouseError.is(error, "UNKNOWN_STREAM", "GONE")) this.#context.onError(error)
    this.end()
  }

  #frameOf(result: ReadResult): Frame | undefined {
    if (result.data.length === 0) {
      this.#at = result.next
      return undefined
    }
    const body = bodyOf(result)
    return new Frame(dataEvent(isText(result.info.contentType) ? body : base64(body)), result.next)
  }

  async #fetch(from: Offset): Promise<ReadResult> {
    const bytesMax = Math.min(this.#context.limits.readBytesMax, PIECE_BYTES)
    const result = await this.#context.store.read(this.#tail.path, from, bytesMax)
    if (this.#incarnation !== undefined && result.info.incarnation !== this.#incarnation) {
      throw new RouseError("UNKNOWN_STREAM", `the stream at ${this.#tail.path} was deleted`)
    }
    return this.#taken(result)
  }

  async #taken(result: ReadResult): Promise<ReadResult> {
    this.#tail.seen(result.info)
    await this.#context.touches.read(result.info)
    return result
  }
}
