import type { Offset } from "@rouse/protocol"
import { controlEvent } from "../core/sse-frame.ts"
import type { Control } from "../core/sse-frame.ts"
import { concat } from "../reply.ts"

const FRAMES_MAX = 256
const BYTES_MAX = 16 * 1024 * 1024
/** Readers differ in their control event only while a cursor changes. */
const VARIANTS_MAX = 4

const encoder = new TextEncoder()

/** One batch as an event, and the complete bytes, control event included, that all readers at the same place are sent. */
export class Frame {
  readonly next: Offset
  readonly #event: Uint8Array
  readonly #variants = new Map<string, Uint8Array>()

  constructor(event: Uint8Array, next: Offset) {
    this.#event = event
    this.next = next
  }

  get byteLength(): number {
    return this.#event.length
  }

  /** The event and a control event behind it: the same buffer for the same. */
  with(control: Omit<Control, "next">): Uint8Array {
    const key = `${control.cursor}${control.upToDate ? "u" : ""}${control.closed ? "c" : ""}`
    const known = this.#variants.get(key)
    if (known !== undefined) return known
    const bytes = concat([this.#event, encoder.encode(controlEvent({ next: this.next, ...control }))])
    if (this.#variants.size < VARIANTS_MAX) this.#variants.set(key, bytes)
    return bytes
  }
}

/**
 * The newest frames, so that a thousand readers of one stream cost one read and one encoding.
 *
 * 1. A frame is immutable: bytes at an offset never change. What changes, whether that was all, is not in it.
 * 2. Loads of the same key share one read. An empty one is not remembered.
 * 3. At most `FRAMES_MAX` frames and about `BYTES_MAX` bytes; the oldest goes first.
 */
export class FrameCache {
  readonly #frames = new Map<string, Frame>()
  readonly #loading = new Map<string, Promise<Frame | undefined>>()
  #bytes = 0

  known(key: string): Frame | undefined {
    return this.#frames.get(key)
  }

  /** Makes a frame, or waits for who makes it already. Undefined when there is nothing there. */
  load(key: string, make: () => Promise<Frame | undefined>): Promise<Frame | undefined> {
    const known = this.#loading.get(key)
    if (known !== undefined) return known
    const loading = this.#load(key, make)
    this.#loading.set(key, loading)
    return loading
  }

  async #load(key: string, make: () => Promise<Frame | undefined>): Promise<Frame | undefined> {
    try {
      const frame = await make()
      if (frame !== undefined) this.#keep(key, frame)
      return frame
    } finally {
      this.#loading.delete(key)
    }
  }

  #keep(key: string, frame: Frame): void {
    if (frame.byteLength > BYTES_MAX / 8) return
    this.#frames.set(key, frame)
    this.#bytes += frame.byteLength
    for (const [oldest, old] of this.#frames) {
      if (this.#frames.size <= FRAMES_MAX && this.#bytes <= BYTES_MAX) return
      this.#frames.delete(oldest)
      this.#bytes -= old.byteLength
    }
  }
}
