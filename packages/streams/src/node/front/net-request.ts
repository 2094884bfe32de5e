import { tooLarge } from "../../body.ts"
import type { HeaderReader } from "../../core/header-reader.ts"
import type { RequestHead } from "../../core/http/request-head.ts"
import type { RequestParser } from "../../core/http/request-parser.ts"
import type { StreamRequest } from "../../request.ts"
import { AHEAD_BYTES_MAX } from "./limits.ts"

const EMPTY = new Uint8Array(0)

/** What a request needs of its connection. */
export interface Inlet {
  /** Tells the client to send its body. */
  proceed(): void
  /** Takes nothing more from the socket, or goes on doing so. */
  hold(isHeld: boolean): void
}

/**
 * A request whose body is read while it comes.
 *
 * 1. What is not asked for is held only up to `AHEAD_BYTES_MAX`; then the socket waits.
 * 2. A client that waits for `100 Continue` gets it when the body is asked for, and not when the request is refused before.
 */
export class NetRequest implements StreamRequest {
  readonly method: string
  readonly head: RequestHead
  readonly #parser: RequestParser
  readonly #inlet: Inlet
  #abort: AbortController | undefined
  #gone = false
  #failure: unknown
  #wake: (() => void) | undefined
  #hasProceeded = false

  constructor(head: RequestHead, parser: RequestParser, inlet: Inlet) {
    this.method = head.method
    this.head = head
    this.#parser = parser
    this.#inlet = inlet
  }

  get headers(): HeaderReader {
    return this
  }

  get(name: string): string | null {
    return this.head.fields.get(name) ?? null
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#gone) this.#abort.abort()
    return this.#abort.signal
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#pieces()
  }

  async take(bytesMax: number): Promise<Uint8Array> {
    const first = this.#read() ?? EMPTY
    if (first.length > bytesMax) throw tooLarge(bytesMax)
    if (this.#parser.ended) return first
    const pieces = [first]
    let length = first.length
    for await (const piece of this.#pieces()) {
      length += piece.length
      if (length > bytesMax) throw tooLarge(bytesMax)
      pieces.push(piece)
    }
    return Buffer.concat(pieces, length)
  }

  /** Whether more of the body is waited for. */
  get isAwaited(): boolean {
    return this.#wake !== undefined
  }

  /** More bytes came, and the parser has them. */
  arrived(): void {
    if (this.#wake === undefined) this.#inlet.hold(this.#parser.held > AHEAD_BYTES_MAX)
    else this.#nudge()
  }

  /** The client is gone, or sends nothing more. */
  gone(): void {
    this.#gone = true
    this.#abort?.abort()
    this.#nudge()
  }

  /** Passes over what is left of the body, as far as it came. Whether that was all of it. */
  skip(): boolean {
    try {
      while (this.#read() !== undefined);
    } catch {
      // What is wrong with it was told to whoever read it; unread, it is only not the end.
      return false
    }
    return this.#parser.ended
  }

  async *#pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const piece = this.#read()
      if (piece !== undefined) yield piece
      else if (this.#parser.ended) return
      else await this.#more()
    }
  }

  #read(): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure
    try {
      return this.#parser.read()
    } catch (error) {
      this.#failure = error
      throw error
    }
  }

  async #more(): Promise<void> {
    if (this.#gone) throw new Error("the client broke off")
    if (!this.#hasProceeded && this.head.expectsContinue) this.#inlet.proceed()
    this.#hasProceeded = true
    this.#inlet.hold(false)
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
  }

  #nudge(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
