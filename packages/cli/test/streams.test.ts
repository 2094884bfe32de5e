import { writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import { assistant, directory, rouse, served } from "./harness.ts"

const JSON_TYPE = { "content-type": "application/json" }

describe("rouse streams", () => {
  test("serves streams alone, and what was acknowledged is there after a restart", async () => {
    await using place = await directory()
    {
      await using server = await served(place.path, ["streams"])
      const url = `${server.url}/v1/stream/a`
      expect((await fetch(url, { method: "PUT", headers: JSON_TYPE, body: "[1]" })).status).toBe(201)
      expect((await fetch(url, { method: "POST", headers: JSON_TYPE, body: "2" })).status).toBe(204)
      expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
      expect((await fetch(`${server.url}/v1/entities`)).status).toBe(404)
    }
    await using server = await served(place.path, ["streams", "--long-poll-ms", "50", "--allow-loopback-webhooks"])
    const url = `${server.url}/v1/stream/a`
    const answer = await fetch(url)
    expect(await answer.json()).toEqual([1, 2])
    const next = answer.headers.get("stream-next-offset")
    expect((await fetch(`${url}?offset=${next}&live=long-poll`)).status).toBe(204)
  })

  test("ends live reads in good order when it is told to", async () => {
    await using place = await directory()
    await using server = await served(place.path, ["streams"])
    const url = `${server.url}/v1/stream/live`
    await fetch(url, { method: "PUT", headers: JSON_TYPE })
    const live = await fetch(`${url}?offset=-1&live=sse`)
    server.running.child.kill("SIGTERM")
    expect(await live.text()).toContain("event: control")
    expect((await server.running.finished).code).toBe(0)
  })

  test("a host that others can reach needs tokens, and then every request does", async () => {
    await using place = await directory()
    const { code, err } = await rouse(["streams", "--host", "0.0.0.0", "--port", "0"], { cwd: place.path })
    expect({ code, err }).toMatchObject({ code: 1, err: expect.stringContaining("tokens are needed") })
    const tokens = [
      { name: "reader", token: "reader-reader-reader", scope: "read" },
      { name: "writer", token: "writer-writer-writer", scope: "write" },
    ]
    await writeFile(join(place.path, "tokens.json"), JSON.stringify({ tokens }))
    await using server = await served(place.path, ["streams", "--tokens", "tokens.json"])
    const url = `${server.url}/v1/stream/a`
    const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}-${name}-${name}` })
    expect((await fetch(url, { method: "PUT" })).status).toBe(401)
    expect((await fetch(url, { method: "PUT", headers: as("reader") })).status).toBe(403)
    expect((await fetch(url, { method: "PUT", headers: as("writer") })).status).toBe(201)
    expect((await fetch(url, { headers: as("reader") })).status).toBe(200)
  })

  test("bounds what a token may ask for, and lets in the pages of sites that are named", async () => {
    await using place = await directory()
    const env = { ROUSE_TOKENS: "first-token-0123456789,other-token-0123456789" }
    const origin = "https://app.example.com"
    await using server = await served(place.path, ["streams", "--rate-limit", "2", "--cors-origin", `${origin}/`], env)
    const url = `${server.url}/v1/stream/a`
    const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}-token-0123456789`, origin })
    const statuses: number[] = []
    for (let n = 0; n < 20; n++) statuses.push((await fetch(url, { headers: as("first") })).status)
    expect(new Set(statuses)).toEqual(new Set([404, 429]))
    const refused = await fetch(url, { headers: as("first") })
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"])
    expect(refused.headers.get("access-control-allow-origin")).toBe(origin)
    expect((await fetch(url, { headers: as("other") })).status).toBe(404)
    const preflight = await fetch(url, { method: "OPTIONS", headers: { origin } })
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, origin])
    for (const flags of [
      ["--cors-origin", origin],
      ["--cors-origin", "app"],
      ["--rate-limit", "0"],
    ]) {
      const { code, err } = await rouse(["streams", ...flags], { cwd: place.path })
      expect([code, err]).toEqual([2, expect.stringContaining(flags[0] ?? "")])
    }
  })

  test("`rouse start` has the same bounds for its streams", async () => {
    await using place = await directory()
    const env = { ROUSE_TOKEN: "admin-token-0123456789" }
    const origin = "https://app.example.com"
    await writeFile(join(place.path, "a.ts"), assistant())
    const flags = ["start", "a.ts", "--rate-limit", "2", "--cors-origin", origin]
    await using server = await served(place.path, flags, env)
    const url = `${server.url}/v1/stream/a`
    const headers = { authorization: "Bearer admin-token-0123456789", origin }
    const answers: Response[] = []
    for (let n = 0; n < 20; n++) answers.push(await fetch(url, { headers }))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404, 429]))
    for (const answer of answers) expect(answer.headers.get("access-control-allow-origin")).toBe(origin)
    const preflight = await fetch(url, { method: "OPTIONS", headers: { origin } })
    expect([preflight.status, preflight.headers.get("access-control-allow-origin")]).toEqual([204, origin])
    expect((await fetch(url, { headers: { origin } })).status).toBe(401)
    expect((await fetch(`${server.url}/v1/entities`, { method: "OPTIONS", headers: { origin } })).status).toBe(401)
    const { code, err } = await rouse(flags, { cwd: place.path })
    expect([code, err]).toEqual([2, expect.stringContaining("--cors-origin needs tokens")])
  })

  test("opens State Protocol streams from snapshots, also live", async () => {
    await using place = await directory()
    await using server = await served(place.path, ["streams"])
    const url = `${server.url}/v1/stream/state`
    const change = (key: string, n: number, operation: string): object => ({
      type: "note",
      key,
      ...(operation === "delete" ? {} : { value: { n } }),
      headers: { operation },
    })
    const changes = [
      change("a", 1, "insert"),
      change("b", 1, "insert"),
      change("a", 2, "update"),
      change("b", 0, "delete"),
    ]
    await fetch(url, { method: "PUT", headers: JSON_TYPE, body: JSON.stringify(changes) })
    const answer = await fetch(`${url}?snapshot=true`)
    const next = answer.headers.get("stream-next-offset")
    const rows = [
      { headers: { control: "snapshot-start", offset: next } },
      change("a", 2, "insert"),
      { headers: { control: "snapshot-end", offset: next } },
    ]
    expect(await answer.json()).toEqual(rows)
    const live = await fetch(`${url}?offset=-1&snapshot=true&live=sse`)
    const reader = live.body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = await reader?.read()
    expect(first?.value).toContain('"snapshot-start"')
    await fetch(url, { method: "POST", headers: JSON_TYPE, body: JSON.stringify(change("c", 3, "insert")) })
    let tail = ""
    while (!tail.includes('"c"')) tail += (await reader?.read())?.value ?? '"c" did not come'
    expect(tail).toContain('"n":3')
    await reader?.cancel()
  })

  test("without tokens no other site's page is answered", async () => {
    await using place = await directory()
    await using server = await served(place.path, ["streams"])
    const answer = await fetch(`${server.url}/v1/stream/a`, { method: "PUT", headers: { origin: "https://evil.test" } })
    expect(answer.status).toBe(403)
  })

  test("a host and path that make no URL together hurt nobody else", async () => {
    await using place = await directory()
    await using server = await served(place.path, ["streams"])
    for (const host of ["localhost:99999", "["]) {
      const answer = await raw(server.url, `GET /v1/stream/%20 HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 40[03] /)
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  })

  test("tells receivers where it is found, and says what is wrong with that address or a rule", async () => {
    await using place = await directory()
    const args = ["streams", "--public-url", "https://streams.example.com/", "--retention", "logs/=7d,10mb"]
    await using server = await served(place.path, [...args, "--retention", "=30d"])
    const made = await fetch(`${server.url}/v1/stream/__ds/subscriptions/s`, {
      method: "PUT",
      headers: JSON_TYPE,
      body: JSON.stringify({ type: "webhook", pattern: "a/*", webhook: { url: "https://hook.example.com/" } }),
    })
    expect(await made.json()).toMatchObject({
      webhook: { signing: { jwks_url: "https://streams.example.com/v1/stream/__ds/jwks.json" } },
    })
    for (const command of ["streams", "start", "dev"]) {
      const { code, err } = await rouse([command, "--retention", "logs"], { cwd: place.path })
      expect([code, err]).toEqual([2, expect.stringContaining("--retention must be prefix=age")])
    }
    const { code, err } = await rouse(["streams", "--public-url", "https://a/b"], { cwd: place.path })
    expect([code, err]).toEqual([2, expect.stringContaining("--public-url must be")])
  })
})

/** Sends bytes as they are and reads what comes until the connection ends. */
function raw(url: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ""
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(text))
    socket.setEncoding("latin1")
    socket.on("data", (chunk) => (answer += String(chunk)))
    socket.on("close", () => resolve(answer))
    socket.on("error", reject)
  })
}
