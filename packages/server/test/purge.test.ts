import { defineEntity } from "@rouse/agents"
import { entityStreamPath } from "@rouse/protocol"
import { expect, test } from "vitest"
import { Harness } from "./harness.ts"

const simple = defineEntity("simple", { handler: (ctx) => ctx.reply("ok") })

test("delete stops an agent and keeps its log; purge removes both, and the address may be used again", async () => {
  const harness = await Harness.open({ entities: [simple] })
  await harness.spawn("/simple/a", { message: "hello" })
  await harness.ask("/simple/a", "again")
  expect((await harness.call("DELETE", "/v1/entities/simple/a")).status).toBe(204)
  expect((await harness.call("GET", "/v1/entities/simple/a")).body).toMatchObject({ status: "stopped" })
  expect((await harness.log("/simple/a")).length).toBeGreaterThan(4)
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(204)
  expect((await harness.call("GET", "/v1/entities/simple/a")).status).toBe(404)
  expect(await harness.store.stream(entityStreamPath("/simple/a"))).toBeUndefined()
  expect(await harness.store.rows("/simple/a")).toEqual([])
  expect((await harness.call("DELETE", "/v1/entities/simple/a?purge=true")).status).toBe(404)
  expect((await harness.spawn("/simple/a", { message: "new" })).status).toBe(201)
  expect(await harness.ask("/simple/a", "still")).toMatchObject({ status: "processed" })
  await harness.close()
})
