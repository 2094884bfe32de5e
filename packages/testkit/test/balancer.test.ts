import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { expect, onTestFinished, test } from "vitest"
import { openBalancer } from "../src/balancer.ts"

test("requests of one connection go to any server, with all that they carry", async () => {
  const servers = await Promise.all(["a", "b", "c"].map(serve))
  let n = 0
  const balancer = await openBalancer(servers, () => (n++ % 3) / 3)
  onTestFinished(() => balancer.close())
  const answers: string[] = []
  for (let i = 0; i < 6; i += 1) {
    const response = await fetch(`${balancer.url}/x?n=${i}`, {
      method: "POST",
      body: `${i}`,
      headers: { "X-Mine": "1" },
    })
    expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2"])
    expect(response.status).toBe(201)
    answers.push(await response.text())
  }
  expect(answers).toEqual(["a", "b", "c", "a", "b", "c"].map((name, i) => `${name} /x?n=${i} X-Mine ${i}`))
  expect(balancer.given).toEqual([2, 2, 2])
})

test("a body comes as it is written, and whoever goes away is gone for the server", async () => {
  const gone = Promise.withResolvers<void>()
  const server = createServer((_, response) => {
    response.on("close", () => gone.resolve())
    response.write("first")
  })
  const balancer = await openBalancer([await listening(server)], Math.random)
  onTestFinished(() => balancer.close())
  const response = await fetch(balancer.url)
  const reader = response.body?.getReader()
  expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first")
  await reader?.cancel()
  await gone.promise
})

async function serve(name: string): Promise<string> {
  const server = createServer((request, response) => {
    const mine = request.rawHeaders.find((header) => header.toLowerCase() === "x-mine")
    response.writeHead(201, ["Set-Cookie", "a=1", "Set-Cookie", "b=2"])
    response.write(`${name} ${request.url} ${mine} `)
    request.pipe(response)
  })
  return listening(server)
}

async function listening(server: ReturnType<typeof createServer>): Promise<string> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
