import type { Socket } from "node:net"
import { problemOf, RouseError } from "@rouse/protocol"
import { RequestParser } from "../../core/http/request-parser.ts"
import type { RequestHead } from "../../core/http/request-head.ts"
import { problemReply } from "../../reply.ts"
import type { Feed, Reply, Waiter } from "../../reply.ts"
import { SECURITY_HEADERS } from "../../core/security-headers.ts"
import { chunkOf, LAST_CHUNK } from "../chunk.ts"
import { originOf, targetOf } from "../target.ts"
import { AHEAD_BYTES_MAX, LINGER_BYTES_MAX, LINGER_MS } from "./limits.ts"
import { NetRequest } from "./net-request.ts"
import type { Inlet } from "./net-request.ts"
import { dropReply, openReply } from "./open-reply.ts"
import type { Shared } from "./shared.ts"

/** The way from a socket's events to its connection: five functions for all sockets, rather than for each. */
const CONNECTION: unique symbol = Symbol("connection")
interface Held extends Socket {
  [CONNECTION]: Connection
}

/** No limit of time is running. */
const NEVER = 0

/**
 * One connection: requests one after the other, each answered before the next is read.
 *
 *   idle ──▶ head ──▶ request ──▶ answering ──▶ idle …          any ──▶ lingering ──▶ closed
 *
 * Owns its socket, and otherwise only what the present place needs:
 *
 *   idle, closed      nothing
 *   head              the parser
 *   request           the parser and the request, until the answer is there
 *   answering         the feed
 *   lingering         nothing: what comes is dropped, so that the client can read its answer before the end
 *
 * 1. While it answers it reads ahead no more than `AHEAD_BYTES_MAX`, and while its client takes nothing it makes nothing.
 * 2. `#dueTick` is the only clock: everything that takes too long ends by `sweep`.
 * 3. Where the end of a request is not certain, no other follows it.
 */
export class Connection implements Inlet, Waiter {
  readonly #socket: Socket
  readonly #shared: Shared
  #dueTick = NEVER
  #parser: RequestParser | undefined
  #request: NetRequest | undefined
  #feed: Feed | undefined
  #isChunked = false
  #isAnswering = false
  #isLast = false
  #isLingering = false
  #lingered = 0
  /** The client sends nothing more. */
  #isHalf = false
  #ahead: Uint8Array | undefined

  constructor(socket: Socket, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#allow(shared.limits.keepAliveMs)
    Object.assign(socket, { [CONNECTION]: this })
    socket.on("data", onData).on("end", onEnd).on("drain", onDrain).on("error", onError).on("close", onClose)
  }

  /** Ends what has taken too long. */
  sweep(nowTick: number): void {
    if (this.#dueTick === NEVER || nowTick < this.#dueTick) return
    // It waits for us, not we for it.
    if (this.#request?.isAwaited === false) this.#allow(this.#shared.limits.requestMs)
    else if (this.#parser !== undefined && this.#socket.writableLength === 0)
      this.#refuse(new RouseError("SLOW_SENDER", "the request took too long to arrive"))
    else this.#socket.destroy()
  }

  /** Ends it after the answer under way; at once when there is none. */
  close(): void {
    this.#isLast = true
    if (this.#parser === undefined && !this.#isAnswering && !this.#isLingering) this.#finish()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #allow(ms: number): void {
    this.#dueTick = this.#shared.tickAfter(ms)
  }

  received(bytes: Uint8Array): void {
    if (this.#isLingering) {
      this.#lingered += bytes.length
      if (this.#lingered > LINGER_BYTES_MAX) this.#socket.destroy()
    } else if (this.#isAnswering) {
      this.#ahead = this.#ahead === undefined ? bytes : Buffer.concat([this.#ahead, bytes])
      if (this.#ahead.length > AHEAD_BYTES_MAX) this.#socket.pause()
    } else {
      this.#read(bytes)
    }
  }

  #read(bytes: Uint8Array): void {
    if (this.#parser === undefined) {
      this.#parser = new RequestParser(latin1)
      this.#allow(this.#shared.limits.headMs)
    }
    this.#parser.push(bytes)
    if (this.#request !== undefined) {
      this.#request.arrived()
      return
    }
    try {
      const head = this.#parser.head()
      if (head !== undefined) this.#begin(this.#parser, head)
    } catch (error) {
      this.#refuse(error)
    }
  }

  #begin(parser: RequestParser, head: RequestHead): void {
    const target = targetOf(head.target, originOf(head.fields.get("host"), false))
    if (target === undefined) throw new RouseError("BAD_REQUEST", "request line: the target is no URL")
    const request = new NetRequest(head, parser, this)
    this.#request = request
    if (this.#isHalf) request.gone()
    this.#allow(this.#shared.limits.requestMs)
    void this.#shared.answering.answer(request, target).then(
      (reply) => this.#answered(request, reply),
      (error: unknown) => {
        this.#shared.onError(error)
        this.#answered(request, problemReply(error))
      },
    )
  }

  /** Only what was not asked for counts: a request that waits for its answer waits for us. */
  hold(isHeld: boolean): void {
    if (isHeld) this.#socket.pause()
    else if (this.#socket.isPaused()) this.#socket.resume()
  }

  proceed(): void {
    this.#socket.write("HTTP/1.1 100 Continue\r\n\r\n", "latin1")
  }

  #answered(request: NetRequest, reply: Reply): void {
    if (this.#request !== request) return dropReply(reply)
    const parser = this.#parser
    this.#request = undefined
    this.#parser = undefined
    this.#isLast ||= !request.head.keepAlive || !request.skip()
    if (!this.#isLast && parser !== undefined && parser.held > 0) this.#ahead = parser.rest()
    this.#answer(reply, request.head.method === "HEAD", request.head.minor === 1)
  }

  #answer(reply: Reply, isHead: boolean, canChunk: boolean): void {
    this.#isAnswering = true
    this.#dueTick = NEVER
    if (this.#socket.destroyed) return dropReply(reply)
    const { keepAlive, onError } = this.#shared
    const cut = (error: unknown): void => {
      if (problemOf(error).status >= 500) onError(error)
      this.destroy()
    }
    const circumstances = { isHead, canChunk, isLast: this.#isLast, date: this.#shared.date(), keepAlive, cut }
    const opened = openReply(reply, circumstances, onError)
    this.#isLast = opened.isLast
    this.#isChunked = opened.isChunked
    this.#feed = opened.feed
    // The head and what follows it at once are one write.
    if (opened.feed !== undefined) this.#socket.cork()
    if (typeof opened.first === "string") this.#socket.write(opened.first, "latin1")
    else this.#socket.write(opened.first)
    this.ready()
    if (opened.feed !== undefined) this.#socket.uncork()
  }

  /** Goes on with the answer as far as the client takes it; then with what comes next. */
  ready(): void {
    if (!this.#isAnswering || this.#socket.destroyed || this.#isStalled()) return
    for (let feed = this.#feed; feed !== undefined && !this.#socket.writableNeedDrain; feed = this.#feed) {
      const bytes = feed.poll(this)
      if (bytes === null) {
        this.#feed = undefined
        if (this.#isChunked) this.#socket.write(LAST_CHUNK, "latin1")
      } else if (bytes !== undefined) this.#socket.write(this.#isChunked ? chunkOf(bytes) : bytes, feed.written)
      else if (this.#isHalf) feed.cancel()
      else return
    }
    if (!this.#isStalled()) this.#next()
  }

  /** Whether the client has yet to take what was written. Its time runs from the first time that it was found so. */
  #isStalled(): boolean {
    const isStalled = this.#socket.writableNeedDrain
    if (!isStalled) this.#dueTick = NEVER
    else if (this.#dueTick === NEVER) this.#allow(this.#shared.limits.stalledMs)
    return isStalled
  }

  /** The answer is written: ends the connection, or turns to the request that came behind. */
  #next(): void {
    this.#isAnswering = false
    if (this.#isLast) return this.#finish()
    const ahead = this.#ahead
    this.#ahead = undefined
    this.hold(false)
    this.#allow(this.#shared.limits.keepAliveMs)
    if (ahead !== undefined) this.#read(ahead)
    if (this.#isHalf && this.#request === undefined) this.#finish()
  }

  #refuse(error: unknown): void {
    this.#isLast = true
    this.#parser = undefined
    this.#request?.gone()
    this.#request = undefined
    const reply = problemReply(error)
    const headers = { "cache-control": "no-store", ...SECURITY_HEADERS, ...reply.headers }
    this.#answer({ ...reply, headers }, false, true)
  }

  /** Nothing more is sent. What still comes is dropped for a while: to close at once would take the last answer from the client. */
  #finish(): void {
    this.#isLingering = true
    this.#parser = undefined
    this.#ahead = undefined
    this.#socket.end()
    this.hold(false)
    this.#allow(this.#socket.writableLength > 0 ? this.#shared.limits.stalledMs : LINGER_MS)
  }

  /** An answer that is there is finished; a live read of someone who left would wait for nobody. */
  halved(): void {
    this.#isHalf = true
    if (this.#isLingering) return
    if (this.#request !== undefined) this.#request.gone()
    else if (this.#feed !== undefined) this.ready()
    else if (!this.#isAnswering) this.#finish()
  }

  /** The socket is closed. */
  gone(): void {
    this.#shared.remove(this)
    this.#request?.gone()
    this.#request = undefined
    this.#feed?.cancel()
    this.#feed = undefined
  }
}

function onData(this: Held, bytes: Uint8Array): void {
  this[CONNECTION].received(bytes)
}

function onEnd(this: Held): void {
  this[CONNECTION].halved()
}

/** Not at once: others have their turn between two pieces, and the memory of the one that was written, told next, serves the one behind. */
function onDrain(this: Held): void {
  setImmediate(goOn, this[CONNECTION])
}

function goOn(connection: Connection): void {
  connection.ready()
}

function onError(this: Held): void {
  this.destroy()
}

function onClose(this: Held): void {
  this[CONNECTION].gone()
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1")
}
