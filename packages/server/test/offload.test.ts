import { defineEntity } from "@rouse/agents"
import type { Problem } from "@rouse/protocol"
import { Bucket, bucketConfig } from "@rouse/store/bucket"
import { openPostgresStore } from "@rouse/store/postgres"
import type { Store } from "@rouse/store"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import { ACCESS_KEY, S3Server, SECRET_KEY } from "@rouse/testkit/s3"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Harness } from "./harness.ts"

const agent = defineEntity("agent", {
  handler: async (ctx, wake) => ctx.reply(`heard ${JSON.stringify(wake.messages[0]?.content)}`),
})
const LOG = "/v1/stream/entities/agent/a"
const SIZES = { objectBytes: 2_000, objectBytesMin: 500, blockBytes: 500, tailBytes: 300 }

describe.skipIf(!hasPostgres())("an agent whose log is in a bucket", () => {
  let database: PostgresDatabase
  let s3: S3Server
  let store: Store
  let harness: Harness
  beforeAll(async () => {
    database = await sharedPostgres()
    s3 = await S3Server.open()
    const env = { AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY }
    const config = bucketConfig("ROUSE_OFFLOAD_URL", `s3://logs?endpoint=${s3.url}`, env)
    const bucket = new Bucket({ config, fetch, sleep: async () => undefined, holds: "old logs" })
    store = await openPostgresStore({
      url: database.url,
      clock: Date.now,
      offload: { bucket, afterMs: 0, sizes: SIZES },
    })
    harness = await Harness.open({ entities: [agent], store })
  })
  afterAll(async () => {
    await harness.close()
    s3.close()
    await database.close()
  })

  const get = (path: string): Promise<Response> =>
    harness.server.fetch(new Request(`http://localhost${path}`, { headers: { host: "localhost" } }))

  /** The log from an offset on, as far as it is written. */
  const log = async (from: string): Promise<string> => {
    const answer = await get(`${LOG}?offset=${from}`)
    expect(answer.status).toBe(200)
    const body = await answer.text()
    return answer.headers.get("stream-up-to-date") === "true"
      ? body
      : body + (await log(answer.headers.get("stream-next-offset") ?? ""))
  }

  test("reads, live reads, bundles and forks are as before, and a bucket that is down says so", async () => {
    await harness.spawn("/agent/a")
    for (let n = 0; n < 12; n += 1)
      await harness.call("POST", "/v1/entities/agent/a/messages?wait=20s", { content: `message ${n}` })
    const before = await log("-1")
    const bundle = await (await get("/v1/entities/agent/a/export")).text()
    for (let round = 1; s3.objects.size === 0 && round < 3; round += 1) {
      const nowMs = Date.now() + round * 7_200_000
      for (let more = true; more;) more = (await store.offload?.step(nowMs)) ?? false
    }
    expect(s3.objects.size).toBeGreaterThan(1)
    expect(await log("-1")).toBe(before)
    expect((await (await get("/v1/entities/agent/a/export")).text()).length).toBe(bundle.length)
    const polled = await get(`${LOG}?offset=-1&live=long-poll`)
    expect([polled.status, before.startsWith((await polled.text()).slice(0, -1))]).toEqual([200, true])
    const fork = await harness.call("POST", "/v1/entities/agent/a/fork", { id: "b" })
    expect(fork.status).toBe(201)
    const forked = await get("/v1/stream/entities/agent/b?offset=-1")
    expect(before.startsWith((await forked.text()).slice(0, 500))).toBe(true)
    s3.isDown = true
    await harness.call("POST", "/v1/entities/agent/a/messages?wait=20s", { content: "still there?" })
    const now = await get(`${LOG}?offset=now`)
    expect(now.status).toBe(200)
    s3.isDown = false
  })

  test("a server that starts while the bucket is down answers 503 for what is there, with when to come back", async () => {
    const config = bucketConfig("ROUSE_OFFLOAD_URL", "s3://logs?endpoint=http://127.0.0.1:1", {
      AWS_ACCESS_KEY_ID: ACCESS_KEY,
      AWS_SECRET_ACCESS_KEY: SECRET_KEY,
    })
    const bucket = new Bucket({ config, fetch, sleep: async () => undefined, holds: "old logs" })
    const other = await openPostgresStore({ url: database.url, clock: Date.now, offload: { bucket, afterMs: 0 } })
    const cut = await Harness.open({ entities: [agent], store: other })
    const ask = (path: string): Promise<Response> =>
      cut.server.fetch(new Request(`http://localhost${path}`, { headers: { host: "localhost" } }))
    const refused = await ask(`${LOG}?offset=-1`)
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"])
    const problem = (await refused.json()) as Problem
    expect(problem.code).toBe("BUCKET_UNAVAILABLE")
    expect(JSON.stringify(problem)).not.toContain(SECRET_KEY)
    expect((await ask("/v1/entities/agent/a")).status).toBe(200)
    await cut.close()
  })
})
