import { connect } from "node:net"
import type { Socket } from "node:net"
import { openMemoryStore } from "@rouse/store"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { Served } from "./serve.ts"
import { serveStreams } from "./serve.ts"
import { watch } from "./watched-store.ts"
import type { Watched } from "./watched-store.ts"

/** Live readers behind real sockets, which vanish and stall. */

const KIB = 1024
let served: Served
let watched: Watched
let url: string

beforeEach(async () => {
  watched = watch(await openMemoryStore({ clock: () => Date.now() }))
  served = await serveStreams({ store: watched.store, readBytesMax: 64 * KIB })
  url = `${served.url}/v1/stream/live`
  await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" } })
})
afterEach(async () => {
  expect(served.errors).toEqual([])
  await served.close()
})

const eventually = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 10_000 })

/** Asks for a live read and leaves the answer in the socket. */
function open(query: string): Promise<Socket> {
  const { port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), "127.0.0.1", () => {
      socket.pause()
      socket.write(`GET /v1/stream/live?${query} HTTP/1.1\r\nHost: rouse.test\r\n\r\n`, () => resolve(socket))
    })
    socket.on("error", reject)
  })
}

const append = (body: string): Promise<Response> =>
  fetch(url, { method: "POST", headers: { "content-type": "text/plain" }, body })

describe("a reader whose connection is cut", () => {
  test.each(["sse", "long-poll"])("is forgotten: %s", async (live) => {
    const socket = await open(`offset=now&live=${live}`)
    await eventually(() => expect(watched.watchers).toBe(1))
    socket.destroy()
    await eventually(() => expect(watched.watchers).toBe(0))
    expect((await append("x")).status).toBe(204)
  })

  test("in the middle of a write hurts nobody", async () => {
    for (let index = 0; index < 40; index++) await append("x".repeat(60 * KIB))
    const sockets = await Promise.all(Array.from({ length: 5 }, () => open("offset=-1&live=sse")))
    await eventually(() => expect(watched.reads).toBeGreaterThanOrEqual(5))
    for (const socket of sockets) socket.destroy()
    await eventually(() => expect(watched.watchers).toBe(0))
    expect((await fetch(`${url}?offset=now`)).status).toBe(200)
  })
})

test("a reader that stalls is read for no further than its socket holds", async () => {
  const chunks = 400
  for (let index = 0; index < chunks; index++) await append("x".repeat(60 * KIB))
  const before = watched.reads
  const socket = await open("offset=-1&live=sse")
  await eventually(() => expect(watched.reads).toBeGreaterThan(before))
  let reads = -1
  await vi.waitFor(
    () => {
      const now = watched.reads
      const isStill = now === reads
      reads = now
      expect(isStill).toBe(true)
    },
    { interval: 200, timeout: 10_000 },
  )
  // Kernel buffers take some; all 24 MB they do not.
  expect(reads - before).toBeLessThan(chunks / 2)
  socket.destroy()
})

test("closing ends every live read in good order", async () => {
  const events = await fetch(`${url}?offset=now&live=sse`)
  const poll = fetch(`${url}?offset=now&live=long-poll`)
  await eventually(() => expect(watched.reads).toBe(2))
  await served.streams.close()
  expect((await poll).status).toBe(204)
  expect(await events.text()).toContain("event: control")
  expect(watched.watchers).toBe(0)
})
