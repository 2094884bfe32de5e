import { createServer } from "node:http"
import { getRequestListener } from "@hono/node-server"
import { openMemoryStore } from "@rouse/store"
import { createStreams } from "@rouse/streams"
import type { Streams } from "@rouse/streams"
import { toNodeHandler } from "@rouse/streams/node"
import connect from "connect"
import { Hono } from "hono"
import { describe, expect, onTestFinished, test } from "vitest"
import { listen, systemClock } from "./serve.ts"

/** Streams in other people's applications. */

type Mount = (streams: Streams) => Parameters<typeof createServer>[1]

const MOUNTS: readonly (readonly [string, Mount])[] = [
  ["plain node:http", (streams) => toNodeHandler(streams)],
  [
    "a fetch handler, as Bun and Deno have it",
    (streams) => {
      const listener = getRequestListener((request) => streams.fetch(request))
      return (incoming, outgoing) => void listener(incoming, outgoing)
    },
  ],
  [
    "Hono",
    (streams) => {
      const app = new Hono()
      app.get("/", (c) => c.text("mine"))
      app.all("/v1/stream/*", (c) => streams.fetch(c.req.raw))
      const listener = getRequestListener(app.fetch)
      return (incoming, outgoing) => void listener(incoming, outgoing)
    },
  ],
  [
    "a middleware, as Express has it",
    (streams) => {
      const app = connect()
      app.use(toNodeHandler(streams))
      app.use((_, outgoing) => outgoing.end("mine"))
      return app
    },
  ],
  [
    "a middleware at a path, which is taken away from the URL",
    (streams) => {
      const app = connect()
      app.use("/v1/stream", toNodeHandler(streams))
      app.use((_, outgoing) => outgoing.end("mine"))
      return app
    },
  ],
]

describe.each(MOUNTS)("mounted in %s", (name, mount) => {
  const serve = async (): Promise<string> => {
    const store = await openMemoryStore({ clock: () => Date.now() })
    const streams = createStreams({ store, clock: systemClock, random: Math.random, longPollMs: 200 })
    const server = createServer(mount(streams))
    const url = await listen(server)
    onTestFinished(async () => {
      await streams.close()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      await store.close()
    })
    return url
  }
  const headers = { "content-type": "application/json" }

  test("serves a stream's whole life", async () => {
    const url = `${await serve()}/v1/stream/a/b`
    expect((await fetch(url, { method: "PUT", headers, body: "[1]" })).status).toBe(201)
    const created = await fetch(url, { method: "PUT", headers: { ...headers, "stream-ttl": "100" } })
    expect(created.status).toBe(409)
    expect((await fetch(url, { method: "POST", headers, body: "2" })).status).toBe(204)
    expect(await (await fetch(url)).json()).toEqual([1, 2])
    expect((await fetch(url, { method: "HEAD" })).headers.get("content-type")).toBe("application/json")
    const live = await fetch(`${url}?offset=-1&live=sse`)
    const reader = live.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain("data:[1,2]")
    await fetch(url, { method: "POST", headers: { ...headers, "stream-closed": "true" } })
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain(`"streamClosed":true`)
    expect((await reader?.read())?.done).toBe(true)
    expect((await fetch(url, { method: "DELETE" })).status).toBe(204)
  })

  test("takes a body in chunks, and one that is long", async () => {
    const url = `${await serve()}/v1/stream/long`
    await fetch(url, { method: "PUT", headers: { "content-type": "text/plain" } })
    const text = "0123456789".repeat(50_000)
    const chunks = new ReadableStream({
      start(controller) {
        for (let at = 0; at < text.length; at += 100_000)
          controller.enqueue(new TextEncoder().encode(text.slice(at, at + 100_000)))
        controller.close()
      },
    })
    const chunked = { method: "POST", headers: { "content-type": "text/plain" }, body: chunks, duplex: "half" } as const
    expect((await fetch(url, chunked)).status).toBe(204)
    expect((await (await fetch(url)).text()).length).toBe(text.length)
  })

  test("leaves everything else alone", async () => {
    const answer = await fetch(`${await serve()}/`)
    const isAlone = name.startsWith("plain") || name.startsWith("a fetch")
    expect(isAlone ? answer.status : await answer.text()).toBe(isAlone ? 404 : "mine")
  })
})
