import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gzipSync } from "node:zlib"
import { afterAll, beforeAll, expect, test } from "vitest"
import { pageHandler } from "../src/http/page.ts"

let directory: string
const SCRIPT = "export const answer = 42\n".repeat(100)

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "rouse-page-"))
  await mkdir(join(directory, "assets"))
  await writeFile(join(directory, "index.html"), "<!doctype html>")
  await writeFile(join(directory, "assets/a.js"), SCRIPT)
  await writeFile(join(directory, "assets/a.js.gz"), gzipSync(SCRIPT))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function get(path: string, encoding?: string): Promise<Response> {
  const headers = encoding === undefined ? {} : { "accept-encoding": encoding }
  return (await pageHandler(directory)(new Request(`http://localhost${path}`, { headers })))!
}

test.each(["gzip", "br, gzip;q=0.8", "deflate,GZIP"])(
  "what was compressed is sent so to who takes it: %s",
  async (encoding) => {
    const response = await get("/assets/a.js", encoding)
    expect(response.headers.get("content-encoding")).toBe("gzip")
    expect(response.headers.get("content-type")).toMatch(/^text\/javascript/)
    expect(response.headers.get("vary")).toBe("accept-encoding")
    const body = await response.arrayBuffer()
    expect(response.headers.get("content-length")).toBe(String(body.byteLength))
    expect(body.byteLength).toBeLessThan(SCRIPT.length / 4)
  },
)

test.each([undefined, "br", "identity", "gzip;q=0"])("and as it is to who does not: %s", async (encoding) => {
  const response = await get("/assets/a.js", encoding)
  expect(response.headers.get("content-encoding")).toBeNull()
  expect(await response.text()).toBe(SCRIPT)
})

test("what was not compressed is sent as it is", async () => {
  const response = await get("/agents/a/b", "gzip")
  expect(response.headers.get("content-encoding")).toBeNull()
  expect(await response.text()).toBe("<!doctype html>")
})
