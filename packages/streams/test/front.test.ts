import { connect } from "node:net"
import type { Socket } from "node:net"
import type { Reply, StreamRequest, Target, Waiter } from "@rouse/streams"
import { createFront } from "@rouse/streams/node"
import type { Front, FrontOptions } from "@rouse/streams/node"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { ManualClock } from "./manual-clock.ts"
import { listen } from "./serve.ts"

/** The front by itself: connections, and how they end. */

type Answer = (request: StreamRequest, target: Target) => Promise<Reply>

/** Says what was asked for, body and all. */
const echo: Answer = async (request, target) => {
  const body = await request.take?.(1_000_000)
  const text = `${request.method} ${target.pathname} ${Buffer.from(body ?? "").toString()}`
  return { status: 200, headers: { "x-origin": target.origin }, body: text }
}

/** A handler that is answered by hand. */
function held(): {
  readonly answer: Answer
  readonly asked: StreamRequest[]
  readonly replies: ((reply: Reply) => void)[]
} {
  const asked: StreamRequest[] = []
  const replies: ((reply: Reply) => void)[] = []
  const answer: Answer = (request) => {
    asked.push(request)
    return new Promise((resolve) => replies.push(resolve))
  }
  return { answer, asked, replies }
}

interface World {
  readonly front: Front
  readonly clock: ManualClock
  readonly client: () => Client
}

async function serve(answer: Answer = echo, options: Partial<FrontOptions> = {}): Promise<World> {
  const clock = new ManualClock()
  const front = createFront({ answer }, { clock, ...options })
  const { port } = new URL(await listen(front.server))
  onTestFinished(async () => {
    const closed = front.close(0)
    clock.advance(0)
    await closed
    expect(clock.armed).toBe(0)
  })
  return { front, clock, client: () => new Client(Number(port)) }
}

class Client {
  readonly socket: Socket
  answer = ""
  ended = false

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true })
    this.socket.setEncoding("latin1")
    this.socket.on("data", (text) => (this.answer += String(text)))
    this.socket.on("end", () => (this.ended = true))
    this.socket.on("error", () => (this.ended = true))
    this.socket.on("close", () => (this.ended = true))
    onTestFinished(() => void this.socket.destroy())
  }

  send(text: string): this {
    this.socket.write(text, "latin1")
    return this
  }

  has(text: string): Promise<void> {
    return eventually(() => expect(this.answer).toContain(text))
  }

  end(): Promise<void> {
    return eventually(() => expect(this.ended).toBe(true))
  }

  get statuses(): readonly number[] {
    return [...this.answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  }
}

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 5_000, interval: 5 })
const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30))

/** Sends more than the buffers of the system hold. It stays here as long as the other side takes nothing. */
async function heldBack(one: Client): Promise<void> {
  const body = "x".repeat(12_000_000)
  one.send(post("/2", body).slice(0, -body.length))
  for (let at = 0; at < body.length; at += 200_000) one.send(body.slice(at, at + 200_000))
  const taken = vi.waitFor(() => expect(one.socket.writableLength).toBe(0), { timeout: 2_500 })
  await expect(taken).rejects.toThrow()
}

const get = (path: string, ...lines: readonly string[]): string =>
  [`GET ${path} HTTP/1.1`, "Host: a.test", ...lines, "", ""].join("\r\n")
const post = (path: string, body: string, ...lines: readonly string[]): string =>
  [`POST ${path} HTTP/1.1`, "Host: a.test", `Content-Length: ${body.length}`, ...lines, "", body].join("\r\n")

describe("requests of one connection", () => {
  test("are answered in order, one at a time, however they arrive", async () => {
    const { answer, asked, replies } = held()
    const { client } = await serve(answer)
    const one = client().send(get("/1") + get("/2") + get("/3").slice(0, 20))
    await eventually(() => expect(asked).toHaveLength(1))
    await pause()
    expect(asked).toHaveLength(1)
    replies[0]?.({ status: 200, headers: {}, body: "first" })
    await eventually(() => expect(asked).toHaveLength(2))
    one.send(get("/3").slice(20))
    replies[1]?.({ status: 204, headers: {} })
    await eventually(() => expect(asked).toHaveLength(3))
    replies[2]?.({ status: 200, headers: {}, body: "third" })
    await one.has("third")
    expect(one.statuses).toEqual([200, 204, 200])
    expect(one.answer).not.toMatch(/ 204 [^]*content-length[^]*HTTP/)
  })

  test("read ahead is bounded: the socket waits", async () => {
    const { answer, replies } = held()
    const { client } = await serve(answer)
    const one = client().send(get("/1"))
    await eventually(() => expect(replies).toHaveLength(1))
    await heldBack(one)
    replies[0]?.({ status: 200, headers: {} })
    await eventually(() => expect(replies).toHaveLength(2))
  })

  test("a body that nobody wants ends the connection after the answer, which the client still reads", async () => {
    const { client } = await serve(() => Promise.resolve({ status: 413, headers: {}, body: "no" }))
    const one = client().send(post("/", "x".repeat(3_000_000)) + get("/smuggled"))
    await one.has("no")
    expect(one.answer).toContain("connection: close")
    await one.end()
    expect(one.statuses).toEqual([413])
  })

  test("a body in one packet with its head, that nobody wants, does not", async () => {
    const { client } = await serve(() => Promise.resolve({ status: 400, headers: {}, body: "no" }))
    const one = client().send(post("/", "body") + get("/next"))
    await eventually(() => expect(one.statuses).toEqual([400, 400]))
  })

  test("HEAD, HTTP/1.0, a whole URL, an Upgrade", async () => {
    const { client } = await serve(echo)
    const one = client().send("HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").send(get("http://b.test:1/y?z"))
    one.send(get("/up", "Connection: Upgrade", "Upgrade: websocket"))
    await one.has("GET /up")
    expect(one.statuses).toEqual([200, 200, 200])
    expect(one.answer).not.toContain("HEAD /x")
    expect(one.answer).toContain("x-origin: http://b.test:1")
    const old = client().send("GET /old HTTP/1.0\r\n\r\n")
    await old.has("GET /old")
    await old.end()
  })

  test("100 Continue is sent when the body is asked for, and not when it is not", async () => {
    const { client } = await serve(async (request, target) =>
      target.pathname === "/no" ? { status: 417, headers: {} } : echo(request, target),
    )
    const start = "POST /yes HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    const one = client().send(start)
    await one.has("100 Continue\r\n\r\n")
    one.send("abc")
    await one.has("POST /yes abc")
    const two = client().send(start.replace("/yes", "/no"))
    await two.end()
    expect(two.statuses).toEqual([417])
    const both = client().send(`${start}abc`)
    await both.has("POST /yes abc")
    expect(both.statuses).toEqual([200])
  })

  test("what is no HTTP is refused, said why, and ends it; another connection does not notice", async () => {
    const { client } = await serve()
    const other = client().send(get("/1"))
    for (const [text, status] of [
      ["nonsense\r\n", 400],
      [get("/", "Content-Length: 1", "Content-Length: 2"), 400],
      [get(`/${"a".repeat(20_000)}`), 414],
      [get("/", `X: ${"a".repeat(20_000)}`), 431],
      [get("//"), 200],
    ] as const) {
      const one = client().send(text + get("/smuggled", "Connection: close"))
      await one.end()
      expect(one.statuses[0]).toBe(status)
      if (status === 200) continue
      expect(one.statuses).toHaveLength(1)
      expect(one.answer).toContain("application/problem+json")
      expect(one.answer).toContain("connection: close")
    }
    other.send(get("/2"))
    await other.has("GET /2")
  })

  test("chunks that break their own framing are refused while they are read", async () => {
    const { client } = await serve((request) =>
      (request.take?.(100) ?? Promise.resolve(new Uint8Array())).then(
        () => ({ status: 200, headers: {} }),
        (error: unknown) => ({ status: 400, headers: {}, body: String(error) }),
      ),
    )
    const one = client().send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n")
    await one.end()
    expect(one.statuses).toEqual([400])
    expect(one.answer).toContain("connection: close")
  })

  test("a header value that could end the header is not sent", async () => {
    const errors: unknown[] = []
    const answer: Answer = () => Promise.resolve({ status: 200, headers: { "x-a": "b\r\nx-c: d" } })
    const { client } = await serve(answer, { onError: (error) => errors.push(error) })
    const one = client().send(get("/") + get("/"))
    await eventually(() => expect(one.statuses).toEqual([500, 500]))
    expect(one.answer).not.toContain("x-c")
    expect(errors).toHaveLength(2)
  })
})

describe("what takes too long", () => {
  test("a head, a body, the next request, the first", async () => {
    const { client, clock } = await serve(echo, { headMs: 10_000, requestMs: 30_000, keepAliveMs: 60_000 })
    const head = client().send("GET / HTTP/1.1\r\nHo")
    const body = client().send(post("/", "body").slice(0, -1))
    const idle = client().send(get("/idle"))
    const silent = client()
    await idle.has("GET /idle")
    await pause()
    clock.advance(9_000)
    await pause()
    expect([head, body, idle, silent].map(({ answer }) => answer.includes("408"))).toEqual([false, false, false, false])
    clock.advance(3_000)
    await head.end()
    expect(head.statuses).toEqual([408])
    clock.advance(20_000)
    await body.end()
    expect(body.statuses).toEqual([408])
    expect([idle.ended, silent.ended]).toEqual([false, false])
    clock.advance(30_000)
    await idle.end()
    await silent.end()
    expect([idle.statuses, silent.statuses]).toEqual([[200], []])
  })

  test("a request that is whole waits for its answer as long as that takes", async () => {
    const { answer, replies } = held()
    const { client, clock } = await serve(answer)
    const one = client().send(post("/", "body"))
    await eventually(() => expect(replies).toHaveLength(1))
    clock.advance(3_600_000)
    replies[0]?.({ status: 200, headers: {}, body: "at last" })
    await one.has("at last")
  })

  test("a reader that takes nothing: it is written no more than its bound, and cut off", async () => {
    let made = 0
    let cancelled = 0
    const piece = new Uint8Array(50_000)
    const endless = { poll: () => (made++, piece), cancel: () => void cancelled++ }
    const { client, clock } = await serve(() => Promise.resolve({ status: 200, headers: {}, body: endless }), {
      stalledMs: 10_000,
    })
    const one = client()
    one.socket.pause()
    one.send(get("/"))
    let before = -1
    await vi.waitFor(
      () => {
        const isStill = made === before
        before = made
        expect(isStill && made > 0).toBe(true)
      },
      { interval: 50, timeout: 5_000 },
    )
    clock.advance(5_000)
    await pause()
    expect(cancelled).toBe(0)
    clock.advance(8_000)
    await eventually(() => expect(cancelled).toBe(1))
  })

  test("one that takes a little now and then is not", async () => {
    const body = new Uint8Array(30_000_000)
    const { client, clock } = await serve(() => Promise.resolve({ status: 200, headers: {}, body }), {
      stalledMs: 10_000,
    })
    const one = client()
    let length = 0
    one.socket.removeAllListeners("data").on("data", (text) => {
      length += String(text).length
      clock.advance(50)
    })
    one.send(get("/"))
    await eventually(() => expect(length).toBeGreaterThan(body.length))
    expect(one.ended).toBe(false)
  })
})

describe("clients that leave", () => {
  test("half a connection: what was asked for is answered, then it ends", async () => {
    const { answer, replies } = held()
    const { client } = await serve(answer)
    const one = client().send(get("/1") + get("/2"))
    one.socket.end()
    await eventually(() => expect(replies).toHaveLength(1))
    replies[0]?.({ status: 200, headers: {}, body: "first" })
    await eventually(() => expect(replies).toHaveLength(2))
    replies[1]?.({ status: 200, headers: {}, body: "second" })
    await one.end()
    expect(one.answer).toContain("second")
  })

  test.each(["half", "all"])("%s a connection: a wait is told", async (how) => {
    const { answer, asked } = held()
    const { client } = await serve(answer)
    const one = client().send(get("/"))
    await eventually(() => expect(asked).toHaveLength(1))
    const signal = asked[0]?.signal
    expect(signal?.aborted).toBe(false)
    if (how === "half") one.socket.end()
    else one.socket.resetAndDestroy()
    await eventually(() => expect(signal?.aborted).toBe(true))
  })

  test("an answer for someone who has left is let go of", async () => {
    const { answer, asked, replies } = held()
    const { client } = await serve(answer)
    const one = client().send(get("/"))
    await eventually(() => expect(asked).toHaveLength(1))
    const signal = asked[0]?.signal
    one.socket.resetAndDestroy()
    await eventually(() => expect(signal?.aborted).toBe(true))
    let cancelled = 0
    replies[0]?.({ status: 200, headers: {}, body: { poll: () => undefined, cancel: () => void cancelled++ } })
    await eventually(() => expect(cancelled).toBe(1))
  })
})

describe("a live reader", () => {
  /** A feed that has nothing until it is told to end. */
  class Quiet {
    cancelled = 0
    #waiter: Waiter | undefined

    poll(waiter: Waiter): null | undefined {
      this.#waiter = waiter
      return this.cancelled > 0 ? null : undefined
    }

    cancel(): void {
      this.cancelled += 1
      this.#waiter?.ready()
    }
  }

  const follow = async (): Promise<{ readonly feed: Quiet; readonly one: Client }> => {
    const feed = new Quiet()
    const { client } = await serve(() => Promise.resolve({ status: 200, headers: {}, body: feed }))
    const one = client().send(get("/"))
    await one.has("chunked")
    return { feed, one }
  }

  test("that ends its sending side ends in good order", async () => {
    const { feed, one } = await follow()
    expect(feed.cancelled).toBe(0)
    one.socket.end()
    await one.end()
    expect(feed.cancelled).toBe(1)
    expect(one.answer.endsWith("\r\n\r\n0\r\n\r\n")).toBe(true)
  })

  test("that vanishes is let go of", async () => {
    const { feed, one } = await follow()
    one.socket.resetAndDestroy()
    await eventually(() => expect(feed.cancelled).toBe(1))
  })

  test("that sends on and on is heard only so far", async () => {
    const { feed, one } = await follow()
    await heldBack(one)
    feed.cancel()
    await eventually(() => expect(one.statuses).toEqual([200, 200]))
  })
})

describe("its own end", () => {
  test("idle connections end, answers under way are finished first", async () => {
    const { answer, replies } = held()
    const { front, client } = await serve(answer)
    const idle = client().send(get("/"))
    await eventually(() => expect(replies).toHaveLength(1))
    replies[0]?.({ status: 204, headers: {} })
    await idle.has("204")
    const busy = client().send(get("/"))
    await eventually(() => expect(replies).toHaveLength(2))
    const closed = front.close(60_000)
    await idle.end()
    idle.socket.end()
    replies[1]?.({ status: 200, headers: {}, body: "done" })
    await busy.has("done")
    expect(busy.answer).toContain("connection: close")
    busy.socket.end()
    await closed
  })

  test("whoever does not end in time is cut off", async () => {
    const { answer, replies } = held()
    const { front, clock, client } = await serve(answer)
    const one = client().send(get("/"))
    await eventually(() => expect(replies).toHaveLength(1))
    const closed = front.close(10_000)
    clock.advance(10_000)
    await closed
    await one.end()
  })

  test("connections are bounded in number", async () => {
    const { client } = await serve(echo, { connectionsMax: 2 })
    const two = [client().send(get("/")), client().send(get("/"))]
    for (const one of two) await one.has("200")
    const third = client().send(get("/"))
    await third.end()
    expect(third.statuses).toEqual([])
  })
})
