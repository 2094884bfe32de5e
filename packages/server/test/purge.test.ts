import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { defineEntity } from "@rouse/agents"
import { entityStreamPath } from "@rouse/protocol"
import { expect, test } from "vitest"
import { IdleExpiry } from "../src/idle-expiry.ts"
import type { Plane } from "../src/plane.ts"
import { tombstoneOf } from "../src/purge.ts"
import { Harness, temporaryStore } from "./harness.ts"

const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })

test("delete stops an agent and keeps its log; purge removes both, and the address may be used again", async () => {
  const harness = await Harness.open({ entities: [simple] })
  await harness.spawn("/simple/a", { message: "hello" })
  await harness.ask("/simple/a", "again")
  expect((await harness.call("DELETE", "/v1/entities/simple/a")).status).toBe(204)
  expect((await harness.call("GET", "/v1/entities/simple/a")).body).toMatchObject({ status: "stopped" })
  expect((await harness.log("/simple/a")).length).toBeGreaterThan(4)
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(204)
  expect(await harness.call("GET", "/v1/entities/simple/a")).toMatchObject({
    status: 410,
    body: { code: "GONE", details: { url: "/simple/a", by: "local", reason: "deleted" } },
  })
  expect(await harness.store.stream(entityStreamPath("/simple/a"))).toBeUndefined()
  expect(await harness.store.rows("/simple/a")).toEqual([])
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(404)
  expect((await harness.spawn("/simple/a", { message: "new" })).status).toBe(201)
  expect(await harness.ask("/simple/a", "still")).toMatchObject({ status: "processed" })
  await harness.close()
})

test("of an agent that was purged no byte stays on the disk once it was swept", async () => {
  const temporary = await temporaryStore()
  const { store, directory } = temporary
  const harness = await Harness.open({ entities: [simple], store })
  const mark = "purge-me-7f3a9c"
  await harness.spawn("/simple/a", { args: { note: `${mark} args` }, tags: { note: `${mark} tag` } })
  for (let n = 0; n < 20; n++) await harness.ask("/simple/a", `${mark} ${n} ${"x".repeat(n * 500)}`)
  await harness.call("POST", "/v1/entities/simple/a/messages", { content: `${mark} later`, afterMs: 1e9 })
  await harness.spawn("/simple/b", { message: "stays" })
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(204)
  while ((await store.sweep(Date.now())) > 0);
  await harness.close()
  const files = await readdir(directory)
  const found = await Promise.all(files.map(async (file) => (await readFile(join(directory, file))).includes(mark)))
  expect(files.filter((_, i) => found[i])).toEqual([])
  await temporary.remove()
})

test("agents that are idle for longer than their type's rule are purged, with a tombstone; those with anything to come are not", async () => {
  let nowMs = Date.now()
  const clock = (): number => nowMs
  const harness = await Harness.open({ entities: [simple], clock })
  for (const id of ["old", "scheduled", "young"]) {
    await harness.spawn(`/simple/${id}`)
    await harness.ask(`/simple/${id}`, "hello")
  }
  await harness.call("POST", "/v1/entities/simple/scheduled/schedules", { name: "x", every: 1e9, message: "m" })
  nowMs += 86_400_000
  await harness.ask("/simple/young", "again")
  const plane = { store: harness.store, clock, transactor: { forget: () => undefined } } as unknown as Plane
  const expiry = new IdleExpiry(plane, [{ type: "simple", keepMs: 3_600_000 }])
  expect(await expiry.step()).toBe(1)
  expect(await expiry.step()).toBe(0)
  expect((await harness.call("GET", "/v1/entities/simple/young")).status).toBe(200)
  expect((await harness.call("GET", "/v1/entities/simple/scheduled")).status).toBe(200)
  expect(await harness.store.entity("/simple/old")).toBeUndefined()
  expect(await tombstoneOf(plane, "/simple/old")).toMatchObject({ by: { id: "retention" } })
  await harness.close()
})
