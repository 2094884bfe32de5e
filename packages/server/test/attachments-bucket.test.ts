import { createHash } from "node:crypto"
import { defineEntity } from "@rouse/agents"
import type { AttachmentInfo, Problem } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { afterEach, beforeEach, expect, test } from "vitest"
import { attachmentsBucket } from "../src/attachments/bucket/open.ts"
import { bucketConfig } from "@rouse/store/bucket"
import { storeContents } from "../src/attachments/store-contents.ts"
import { Harness } from "./harness.ts"
import { ACCESS_KEY, S3Server, SECRET_KEY } from "@rouse/testkit/s3"
import { openTestStore } from "./support/test-store.ts"

const MB = 1_048_576
const PATH = "/v1/entities/agent/a/attachments"
const agent = defineEntity("agent", { handler: async () => undefined })
let s3: S3Server
let store: Store
let harness: Harness
let lines: string[]

beforeEach(async () => {
  s3 = await S3Server.open()
  store = await openTestStore({ clock: Date.now })
  lines = []
  harness = await open(SECRET_KEY)
  await harness.spawn("/agent/a")
})

afterEach(async () => {
  await harness.close()
  s3.close()
})

function open(secret: string): Promise<Harness> {
  const log = (line: string, fields?: object): void => void lines.push(line + JSON.stringify(fields))
  return Harness.open({
    entities: [agent],
    store,
    log: { debug: log, info: log, warn: log, error: log },
    attachments: attachmentsBucket(bucketOptions(secret)),
  })
}

function bucketOptions(secret: string) {
  return {
    address: `s3://files/of/rouse?endpoint=${s3.url}`,
    env: { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: secret },
    store,
    clock: Date.now,
    random: Math.random,
    fetch,
    sleep: async () => undefined,
  }
}

async function raw(method: string, path: string, body?: Uint8Array<ArrayBuffer>, headers = {}): Promise<Response> {
  const init = { method, headers: { host: "localhost", ...headers }, ...(body === undefined ? {} : { body }) }
  return harness.server.fetch(new Request(`http://localhost${path}`, init))
}

const sha = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")
const noise = (size: number): Uint8Array<ArrayBuffer> => Uint8Array.from({ length: size }, (_, i) => (i * i) >>> 3)

test.each([0, 1, 5 * MB, 5 * MB + 1, 13 * MB])(
  "%i bytes go to the bucket and come back, whole and in part",
  async (size) => {
    const bytes = noise(size)
    const info = (await (await raw("POST", `${PATH}?name=a.bin`, bytes)).json()) as AttachmentInfo
    expect(info).toMatchObject({ id: sha(bytes), size })
    expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^\/files\/of\/rouse\/agent\/a\/[0-9a-f]{27}$/)])
    expect([s3.uploads.size, await store.streamPaths({ prefix: "attachments/objects/", limit: 9 })]).toEqual([0, []])
    expect(sha(new Uint8Array(await (await raw("GET", `${PATH}/${info.id}`)).arrayBuffer()))).toBe(info.id)
    if (size < 2) return
    const part = await raw("GET", `${PATH}/${info.id}`, undefined, { range: `bytes=${size - 7}-${size - 2}` })
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(size - 7, size - 1))
  },
)

test("what is deleted or purged leaves the bucket with the next sweep, and nothing else does", async () => {
  await harness.spawn("/agent/b")
  const bytes = noise(6 * MB)
  const ids = await Promise.all(
    ["a", "b"].map(
      async (id) =>
        ((await (await raw("POST", `/v1/entities/agent/${id}/attachments`, bytes)).json()) as AttachmentInfo).id,
    ),
  )
  expect([ids[0], s3.objects.size]).toEqual([ids[1], 2])
  await harness.call("DELETE", "/v1/entities/agent/a?purge=true")
  expect(s3.objects.size).toBe(2)
  const contents = attachmentsBucket(bucketOptions(SECRET_KEY))(
    storeContents({ store, clock: Date.now, newKey: () => "x" }),
  )
  expect(await contents.sweep(0, 0)).toBe(1)
  expect([...s3.objects.keys()]).toEqual([expect.stringContaining("/agent/b/")])
  expect((await harness.call("DELETE", `/v1/entities/agent/b/attachments/${ids[1]}`)).status).toBe(204)
  expect([await contents.sweep(0, 0), await contents.sweep(0, 0), s3.objects.size]).toEqual([1, 0, 0])
})

test("an upload that a crash left, with parts in the bucket, is swept by age", async () => {
  let n = 0
  const upload = attachmentsBucket(bucketOptions(SECRET_KEY))(
    storeContents({ store, clock: Date.now, newKey: () => `k${n++}` }),
  ).begin("/agent/a")
  for (let i = 0; i < 3; i++) await upload.write(noise(5 * MB))
  expect(s3.uploads.size).toBe(1)
  const next = attachmentsBucket(bucketOptions(SECRET_KEY))(
    storeContents({ store, clock: Date.now, newKey: () => "x" }),
  )
  expect([await next.sweep(Date.now() - 60_000, 0), s3.uploads.size]).toEqual([0, 1])
  expect([await next.sweep(Date.now() + 1, 0), s3.uploads.size]).toEqual([1, 0])
  expect(await store.streamPaths({ prefix: "attachments/", limit: 9 })).toEqual([])
})

test("a busy bucket is asked again; one that refuses fails the upload, and no secret is said", async () => {
  s3.failing = [503, 500]
  expect((await raw("POST", PATH, noise(9))).status).toBe(201)
  await harness.stop()
  harness = await open("another-secret")
  const refused = await raw("POST", PATH, noise(10))
  const text = await refused.text()
  expect([refused.status, (JSON.parse(text) as Problem).code]).toEqual([503, "STORE_UNAVAILABLE"])
  expect(text).toContain("SignatureDoesNotMatch")
  expect(text + lines.join("")).not.toMatch(/secret/)
})

test.each([
  ["http://x", /must look like s3:/],
  ["s3://u:hush@files", /must hold no credentials/],
  ["s3://files?acl=public", /no option "acl"/],
  ["s3://files?endpoint=ftp://x", /endpoint: must be/],
  ["s3://files/a b", /prefix:/],
])("%s is refused", (address, rule) => {
  const env = { AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "hush" }
  expect(() => bucketConfig("ROUSE_ATTACHMENTS", address, env)).toThrow(rule)
  expect(() => bucketConfig("ROUSE_ATTACHMENTS", "s3://files", {})).toThrow(/AWS_ACCESS_KEY_ID/)
  expect(bucketConfig("ROUSE_ATTACHMENTS", "s3://files/p/", env)).toMatchObject({
    base: "https://files.s3.us-east-1.amazonaws.com/p/",
  })
})
