import { createHash } from "node:crypto"
import { defineEntity } from "@rouse/agents"
import type { AttachmentInfo, AttachmentPage, MessageRow, Problem } from "@rouse/protocol"
import { afterEach, beforeEach, expect, test } from "vitest"
import { storeContents } from "../src/attachments/store-contents.ts"
import { Harness, temporaryStore } from "./harness.ts"

const MB = 1_048_576
const agent = defineEntity("agent", {
  async handler(ctx) {
    ctx.reply((await ctx.attachments.list()).map(({ name }) => name))
  },
})

let harness: Harness
let remove: () => Promise<void>

beforeEach(async () => {
  const temporary = await temporaryStore()
  const { store } = temporary
  remove = () => temporary.remove()
  harness = await Harness.open({ entities: [agent], store, limits: { attachmentBytesMax: 8 * MB } })
  await harness.spawn("/agent/a")
})

afterEach(async () => {
  await harness.close()
  await remove()
})

type Body = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>

async function raw(method: string, path: string, headers: Record<string, string> = {}, body?: Body): Promise<Response> {
  const init = {
    method,
    headers: { host: "localhost", ...headers },
    ...(body === undefined ? {} : { body }),
    duplex: "half",
  }
  return harness.server.fetch(new Request(`http://localhost/v1/entities${path}`, init))
}

async function upload(
  url: string,
  body: Body,
  name: string,
  headers: Record<string, string> = {},
): Promise<AttachmentInfo> {
  const response = await raw("POST", `${url}/attachments?name=${encodeURIComponent(name)}`, headers, body)
  const answer = (await response.json()) as AttachmentInfo
  expect([response.status, answer]).toMatchObject([201, { type: "attachment" }])
  return answer
}

function noise(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let i = 0, x = seed; i < size; i++) bytes[i] = x = (x * 1_103_515_245 + 12_345) >>> 8
  return bytes
}

function sha(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex")
}

async function refusal(response: Response): Promise<readonly [number, string]> {
  const { code } = (await response.json()) as Problem
  return [response.status, code]
}

test.each([0, 1, 262_143, 262_144, 262_145, 5 * MB + 17])("%i bytes come back as they went in", async (size) => {
  const bytes = noise(size)
  const info = await upload("/agent/a", bytes, "data.bin", { "content-type": "application/x-thing" })
  expect(info).toEqual({ type: "attachment", id: sha(bytes), name: "data.bin", mediaType: "application/x-thing", size })
  const back = await raw("GET", `/agent/a/attachments/${info.id}`)
  expect(back.headers.get("content-length")).toBe(String(size))
  expect(sha(new Uint8Array(await back.arrayBuffer()))).toBe(info.id)
  expect(await harness.store.streamPaths({ prefix: "attachments/uploads/", limit: 9 })).toEqual([])
})

test("ranges, conditional requests and what a browser must be told", async () => {
  const bytes = noise(5 * MB)
  const { id } = await upload("/agent/a", bytes, "page.html", { "content-type": "text/html" })
  const path = `/agent/a/attachments/${id}`
  for (const [range, start, end] of [
    ["bytes=0-0", 0, 1],
    ["bytes=262140-262150", 262_140, 262_151],
    ["bytes=4194300-4194310", 4_194_300, 4_194_311],
    ["bytes=5000000-", 5_000_000, 5 * MB],
    ["bytes=-5", 5 * MB - 5, 5 * MB],
    ["bytes=5242879-99999999", 5 * MB - 1, 5 * MB],
  ] as const) {
    const part = await raw("GET", path, { range })
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes ${start}-${end - 1}/${5 * MB}`])
    expect(sha(new Uint8Array(await part.arrayBuffer()))).toBe(sha(bytes.slice(start, end)))
  }
  expect(await refusal(await raw("GET", path, { range: `bytes=${5 * MB}-` }))).toMatchObject([
    416,
    "RANGE_NOT_SATISFIABLE",
  ])
  expect((await raw("GET", path, { range: "bytes=0-1,4-5" })).status).toBe(200)
  expect((await raw("GET", path, { range: "bytes=0-1", "if-range": '"other"' })).status).toBe(200)
  const whole = await raw("HEAD", path)
  const facts = Object.fromEntries(whole.headers)
  expect(facts).toMatchObject({
    "content-type": "text/html",
    "content-length": String(5 * MB),
    "content-disposition": `attachment; filename="page.html"; filename*=UTF-8''page.html`,
    "x-content-type-options": "nosniff",
    "accept-ranges": "bytes",
    etag: `"${id}"`,
  })
  expect(facts["content-security-policy"]).toMatch(/^sandbox;/)
  expect((await raw("GET", path, { "if-none-match": `"${id}"` })).status).toBe(304)
})

test.each([
  ["a 200 MB body that says so", 413, "TOO_LARGE", { "content-length": String(200 * MB) }, "x", "x"],
  ["a body beyond the limit that does not say so", 413, "TOO_LARGE", {}, "x", endless()],
  ["another digest", 422, "DIGEST_MISMATCH", { "repr-digest": `sha-256=:${"A".repeat(43)}=:` }, "x", "x"],
  ["no digest", 400, "BAD_REQUEST", { "repr-digest": "sha-256=:AAAA:" }, "x", "x"],
  ["fewer bytes than announced", 400, "BAD_REQUEST", { "content-length": "9" }, "x", "four"],
  ["a form", 415, "UNSUPPORTED_MEDIA_TYPE", { "content-type": "multipart/form-data; boundary=x" }, "x", "x"],
  ["no media type", 415, "UNSUPPORTED_MEDIA_TYPE", { "content-type": "picture" }, "x", "x"],
  ["a media type with a line break", 415, "UNSUPPORTED_MEDIA_TYPE", { "content-type": "image/png; a=b" }, "x", "x"],
  ["a path", 422, "INVALID_ARGS", {}, "../../etc/passwd", "x"],
  ["a path of Windows", 422, "INVALID_ARGS", {}, "C:\\x", "x"],
  ["two dots", 422, "INVALID_ARGS", {}, "..", "x"],
  ["a name turned around", 422, "INVALID_ARGS", {}, "gpj.\u202eexe", "x"],
  ["a long name", 422, "INVALID_ARGS", {}, "x".repeat(201), "x"],
])("%s is refused, and nothing stays", async (_, status, code, headers, name, body) => {
  const response = await raw("POST", `/agent/a/attachments?name=${encodeURIComponent(name)}`, headers, body)
  expect(await refusal(response)).toMatchObject([status, code])
  expect(await harness.store.streamPaths({ prefix: "attachments/", limit: 9 })).toEqual([])
})

function endless(): ReadableStream<Uint8Array> {
  const piece = noise(65_536)
  return new ReadableStream({ pull: (controller) => controller.enqueue(piece) }, { highWaterMark: 0 })
}

test("a body that breaks off leaves nothing", async () => {
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent++ < 20) controller.enqueue(noise(65_536, sent))
      else controller.error(new Error("the connection was lost"))
    },
  })
  expect(await refusal(await raw("POST", "/agent/a/attachments", {}, body))).toMatchObject([400, "BAD_REQUEST"])
  expect(await harness.store.streamPaths({ prefix: "attachments/", limit: 9 })).toEqual([])
})

test("the same bytes twice are one attachment, under the first name; another agent's are its own", async () => {
  const bytes = noise(MB)
  await harness.spawn("/agent/b")
  const [first, second] = [await upload("/agent/a", bytes, "one.bin"), await upload("/agent/a", bytes, "two.bin")]
  expect(second).toEqual(first)
  const both = await Promise.all([upload("/agent/b", bytes, "x.bin"), upload("/agent/b", bytes, "y.bin")])
  expect(both[0]).toEqual(both[1])
  expect((await harness.call("DELETE", "/v1/entities/agent/a?purge=true")).status).toBe(204)
  const left = await raw("GET", `/agent/b/attachments/${first.id}`)
  expect(sha(new Uint8Array(await left.arrayBuffer()))).toBe(first.id)
  expect(await harness.store.streamPaths({ prefix: "attachments/", limit: 9 })).toHaveLength(2)
  expect((await harness.call("DELETE", `/v1/entities/agent/b/attachments/${first.id}`)).status).toBe(204)
  expect((await raw("GET", `/agent/b/attachments/${first.id}`)).status).toBe(404)
  expect(await harness.store.streamPaths({ prefix: "attachments/", limit: 9 })).toEqual([])
  expect(
    (await harness.log("/agent/b")).filter(({ type }) => type === "attachment").map(({ headers }) => headers.operation),
  ).toEqual(["insert", "delete"])
})

test("a list in pages, and the log says who put what", async () => {
  const ids = []
  for (let n = 0; n < 5; n++)
    ids.push((await upload("/agent/a", `text ${n}`, `${n}.txt`, { "content-type": "Text/Plain" })).id)
  const { body: page } = await harness.call<AttachmentPage>("GET", "/v1/entities/agent/a/attachments?limit=3")
  const { body: rest } = await harness.call<AttachmentPage>(
    "GET",
    `/v1/entities/agent/a/attachments?after=${page.next}&limit=3`,
  )
  expect([...page.attachments, ...rest.attachments].map(({ id }) => id)).toEqual(ids.toSorted())
  expect(rest.next).toBeUndefined()
  const rows = (await harness.log("/agent/a")).filter(({ type }) => type === "attachment")
  expect(rows[0]?.value).toMatchObject({
    by: { kind: "user", id: "local" },
    name: "0.txt",
    mediaType: "text/plain",
    size: 6,
  })
  expect((await harness.ask("/agent/a", "list")).reply).toHaveLength(5)
})

test("a message brings files, also a delayed one; one that is not there is refused", async () => {
  const { id } = await upload("/agent/a", "hello", "hello.txt", { "content-type": "text/plain" })
  const send = (attachments: unknown, more: object = {}) =>
    harness.call<Problem>("POST", "/v1/entities/agent/a/messages", { content: "see", attachments, ...more })
  expect((await send([id])).status).toBe(202)
  expect((await send([id], { afterMs: 10 })).status).toBe(202)
  expect(await send(["0".repeat(64)])).toMatchObject({
    status: 404,
    body: { code: "NOT_FOUND", detail: expect.stringContaining("attachments[0]") as string },
  })
  expect(await send(["x"])).toMatchObject({
    status: 422,
    body: { detail: expect.stringContaining("attachments.0") as string },
  })
  expect((await send(Array.from({ length: 33 }, () => id))).status).toBe(422)
  await harness.until(async () => (await harness.rows("/agent/a", "message")).length === 2, "the delayed message")
  const rows = await harness.rows<MessageRow>("/agent/a", "message")
  for (const { value } of rows)
    expect(value.attachments).toEqual([{ type: "attachment", id, name: "hello.txt", mediaType: "text/plain", size: 5 }])
})

test("who is not there or stopped takes none, and no stream of theirs can be written", async () => {
  expect(await refusal(await raw("POST", "/agent/none/attachments", {}, "x"))).toMatchObject([404, "UNKNOWN_ENTITY"])
  const { id } = await upload("/agent/a", "x", "x.txt")
  await harness.call("POST", "/v1/entities/agent/a/signals", { signal: "kill" })
  expect(await refusal(await raw("POST", "/agent/a/attachments", {}, "y"))).toMatchObject([409, "STOPPED"])
  expect((await raw("GET", `/agent/a/attachments/${id}`)).status).toBe(200)
  expect((await harness.call("POST", `/v1/stream/attachments/bytes/agent/a/${id}`, "more")).status).toBe(405)
  for (const wrong of ["x", "0".repeat(64), "..%2f..%2fx", "A".repeat(64)])
    expect((await raw("GET", `/agent/a/attachments/${wrong}`)).status).toBe(404)
})

test("what a crash left of an upload is swept by age; what was linked stays", async () => {
  const kept = await upload("/agent/a", noise(MB), "kept.bin")
  const { store } = harness
  const contents = storeContents({ store, clock: () => 1_000_000, newKey: () => "0lost" })
  const left = contents.begin("/agent/a")
  for (let n = 0; n < 4; n++) await left.write(noise(262_144, n))
  expect(await store.streamPaths({ prefix: "attachments/uploads/", limit: 9 })).toEqual(["attachments/uploads/0lost"])
  expect(await contents.sweep(999_999, 0)).toBe(0)
  expect(await contents.sweep(1_000_000, 0)).toBe(1)
  expect(await contents.sweep(2_000_000, 0)).toBe(0)
  expect(await store.streamPaths({ prefix: "attachments/uploads/", limit: 9 })).toEqual([])
  expect(sha(new Uint8Array(await (await raw("GET", `/agent/a/attachments/${kept.id}`)).arrayBuffer()))).toBe(kept.id)
})

test("no more uploads at once than the server has room for", async () => {
  const stuck = Array.from({ length: 16 }, () => {
    let end = (): void => undefined
    const body = new ReadableStream<Uint8Array>({ start: (controller) => void (end = () => controller.close()) })
    return { answer: raw("POST", "/agent/a/attachments", {}, body), end: () => end() }
  })
  await harness.until(async () => (await raw("POST", "/agent/a/attachments", {}, "x")).status === 503, "a full house")
  for (const { end } of stuck) end()
  for (const { answer } of stuck) expect((await answer).status).toBe(201)
  expect((await raw("POST", "/agent/a/attachments", {}, "x")).status).toBe(201)
})
