import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { afterAll, beforeAll, expect, test } from "vitest"
import { outboundFetch } from "../src/host/outbound-fetch.ts"

const seen: string[] = []
const server = createServer((request, response) => {
  seen.push(`${request.method} ${request.url}`)
  request
    .resume()
    .on("end", () =>
      response.writeHead(request.url === "/none" ? 204 : 302, { location: "/x", "set-cookie": ["a=1", "b=2"] }).end(),
    )
})
let port = 0
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

function wanted(url: string, isPrivateAllowed: boolean) {
  const { signal } = new AbortController()
  return {
    url: new URL(url),
    method: "POST",
    headers: {},
    body: new TextEncoder().encode("hi"),
    signal,
    isPrivateAllowed,
  }
}

test("answers come as they are: redirects are not followed", async () => {
  const response = await outboundFetch()(wanted(`http://127.0.0.1:${port}/a`, true))
  expect([response.status, response.headers.get("location"), response.headers.getSetCookie()]).toEqual([
    302,
    "/x",
    ["a=1", "b=2"],
  ])
  expect((await outboundFetch()(wanted(`http://127.0.0.1:${port}/none`, true))).status).toBe(204)
  expect(seen).toEqual(["POST /a", "POST /none"])
})

test.each([["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["::ffff:10.0.0.1"]])(
  "a name that resolves to %s is not connected to",
  async (address) => {
    const fetch = outboundFetch((_, __, callback) =>
      callback(null, [{ address, family: address.includes(":") ? 6 : 4 }]),
    )
    const sent = fetch(wanted(`https://looks-public.example:${port}/b`, false))
    await expect(sent).rejects.toMatchObject({ code: "ADDRESS_REFUSED" })
    expect(seen).toHaveLength(2)
  },
)

test("what never left says so", async () => {
  const fetch = outboundFetch()
  await expect(fetch(wanted("http://127.0.0.1:9/", true))).rejects.toMatchObject({ isUnsent: true })
})
