import { RouseError } from "@rouse/protocol"
import { openMemoryStore } from "@rouse/store"
import { createStreams } from "@rouse/streams"
import type { StreamAccess, StreamsOptions } from "@rouse/streams"
import { describe, expect, onTestFinished, test } from "vitest"
import { parseFork } from "../src/core/fork-request.ts"
import { systemClock } from "./serve.ts"

/** Forks over the wire, where the published suite does not look. */

const BASE = "/v1/stream"
const parse = (headers: Record<string, string>) => parseFork(new Headers(headers), BASE)
const from = (path: string) => ({ "stream-forked-from": `${BASE}/${path}` })

type Call = (method: string, path: string, headers?: Record<string, string>, body?: string) => Promise<Response>

async function open(options: Partial<StreamsOptions> = {}): Promise<Call> {
  const store = await openMemoryStore({ clock: () => Date.now() })
  onTestFinished(() => store.close())
  const streams = createStreams({ store, clock: systemClock, random: Math.random, ...options })
  return (method, path, headers = {}, body) =>
    streams.fetch(
      new Request(`http://localhost${BASE}/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: Buffer.from(body) }),
      }),
    )
}

describe("the headers of a fork", () => {
  test("say from where", () => {
    expect(parse({})).toBeUndefined()
    expect(parse(from("a/b%20c"))).toEqual({ source: "a/b c" })
    expect(parse({ ...from("a"), "stream-fork-offset": "-1", "stream-fork-sub-offset": "7" })).toEqual({
      source: "a",
      offset: "-1",
      subOffset: 7,
    })
    expect(parse({ ...from("a"), "stream-fork-offset": "0000_0000" })).toEqual({ source: "a", offset: "-1" })
  })

  test.each([
    ["", /Stream-Forked-From/],
    ["a", /Stream-Forked-From/],
    ["http://localhost/v1/stream/a", /Stream-Forked-From/],
    ["/v1/stream/a?b", /Stream-Forked-From/],
    ["/v1/stream/a#b", /Stream-Forked-From/],
    ["/v1/stream/a, /v1/stream/b", /Stream-Forked-From/],
    ["/v1/stream/../a", /dot segment/],
    ["/v1/stream/%2e%2e/a", /dot segment/],
    ["/v1/stream/__ds/a", /reserved/],
    [`/v1/stream/${"a".repeat(8_192)}`, /longer/],
    ["/elsewhere/a", /found under/],
  ])("Stream-Forked-From %j is refused", (value, message) => {
    expect(() => parse({ "stream-forked-from": value })).toThrow(message)
  })

  test.each(["now", "", "1, 2", "a b", "x".repeat(257)])("Stream-Fork-Offset %j is refused", (value) => {
    if (value === "now") return expect(parse({ ...from("a"), "stream-fork-offset": value })?.offset).toBe("now")
    expect(() => parse({ ...from("a"), "stream-fork-offset": value })).toThrow(/Stream-Fork-Offset/)
  })

  test("come together", () => {
    expect(() => parse({ "stream-fork-offset": "-1" })).toThrow(/needs Stream-Forked-From/)
    expect(() => parse({ "stream-fork-sub-offset": "0" })).toThrow(/needs Stream-Forked-From/)
    expect(() => parse({ ...from("a"), "stream-fork-sub-offset": "9".repeat(30) })).toThrow(/Stream-Fork-Sub-Offset/)
  })
})

describe("a fork", () => {
  test("may be made only by who may read its source", async () => {
    const asked: Omit<StreamAccess, "request" | "target">[] = []
    const call = await open({
      guard: ({ path, write }) => {
        asked.push({ path, write })
        if (path === "secret" && !write) throw new RouseError("FORBIDDEN", "not yours")
      },
    })
    await call("PUT", "secret", {}, "x")
    asked.length = 0
    expect((await call("PUT", "mine", from("secret"))).status).toBe(403)
    expect(asked).toEqual([
      { path: "mine", write: true },
      { path: "secret", write: false },
    ])
    expect((await call("GET", "mine")).status).toBe(404)
  })

  test("of a JSON stream takes a JSON body without saying so", async () => {
    const call = await open()
    await call("PUT", "a", { "content-type": "application/json" }, "[1,2]")
    const made = await call("PUT", "b", from("a"), "[3,[4]]")
    expect([made.status, made.headers.get("content-type")]).toEqual([201, "application/json"])
    expect(await (await call("GET", "b")).json()).toEqual([1, 2, 3, [4]])
    expect((await call("PUT", "c", from("a"), "no json")).status).toBe(400)
    const head = await call("HEAD", "b")
    expect(head.headers.get("stream-next-offset")).toBe(made.headers.get("stream-next-offset"))
  })

  test("has entity tags of its own, that hold while its source grows", async () => {
    const call = await open()
    await call("PUT", "a", { "content-type": "text/plain" }, "one")
    await call("PUT", "b", from("a"))
    const [ofSource, ofFork] = [await call("GET", "a"), await call("GET", "b")]
    const etag = ofFork.headers.get("etag") ?? ""
    expect(etag).not.toBe(ofSource.headers.get("etag"))
    await call("POST", "a", { "content-type": "text/plain" }, "two")
    expect((await call("GET", "b", { "if-none-match": etag })).status).toBe(304)
    await call("POST", "b", { "content-type": "text/plain" }, "three")
    const after = await call("GET", "b", { "if-none-match": etag })
    expect([after.status, await after.text()]).toEqual([200, "onethree"])
  })

  test("tells by a problem document what was wrong", async () => {
    const call = await open()
    await call("PUT", "a", { "content-type": "text/plain" }, "one")
    await call("PUT", "b", from("a"))
    const problems: [Record<string, string>, number, string][] = [
      [from("none"), 404, "UNKNOWN_STREAM"],
      [{ ...from("a"), "content-type": "application/json" }, 409, "CONTENT_TYPE_MISMATCH"],
      [{ ...from("a"), "stream-fork-offset": "now" }, 400, "BAD_OFFSET"],
      [{ ...from("a"), "stream-fork-sub-offset": "1" }, 400, "BAD_OFFSET"],
      [{ "stream-forked-from": "a" }, 400, "BAD_REQUEST"],
    ]
    for (const [headers, status, code] of problems) {
      const answer = await call("PUT", "c", headers)
      expect([answer.status, (await answer.json()) as object]).toMatchObject([status, { code }])
    }
    await call("DELETE", "a")
    const gone = await call("PUT", "c", from("a"))
    expect([gone.status, (await gone.json()) as object]).toMatchObject([409, { code: "FORK_SOURCE_GONE" }])
    for (const live of ["", "?offset=-1&live=long-poll", "?offset=now&live=sse", "?offset=now"]) {
      expect((await call("GET", `a${live}`)).status).toBe(410)
    }
    expect((await call("PUT", "b", from("a"))).status).toBe(200)
  })
})
