import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { assistant, directory, rouse, served } from "./harness.ts"

let server: PostgresDatabase
beforeAll(async () => {
  server = await sharedPostgres()
})
afterAll(() => server.close())

describe.skipIf(!hasPostgres())("with ROUSE_DATABASE_URL", () => {
  test("everything is in the database: another server, elsewhere, goes on with it", async () => {
    await using place = await directory({ "a.ts": assistant() })
    await using elsewhere = await directory({ "a.ts": assistant() })
    const env = { ROUSE_DATABASE_URL: server.url }
    {
      await using first = await served(place.path, ["start", "a.ts"], env)
      expect(first.data).toBe(server.url.replace("postgres@", ""))
      expect((await first.rouse("send", "/assistant/one", "hello")).out).toBe("You said: hello\n")
    }
    await using second = await served(elsewhere.path, ["start", "a.ts"], env)
    expect((await second.rouse("log", "/assistant/one")).out).toContain("hello")
    expect((await second.rouse("send", "/assistant/one", "again")).out).toBe("You said: again\n")
  })

  test("behind a pooler: nothing is prepared, and nothing listened to", async () => {
    await using place = await directory({ "a.ts": assistant() })
    const env = { ROUSE_DATABASE_URL: server.url, ROUSE_DATABASE_POOLED: "1", ROUSE_DATABASE_SCHEMA: "pooled" }
    await using running = await served(place.path, ["start", "a.ts"], env)
    expect((await running.rouse("send", "/assistant/one", "hello")).out).toBe("You said: hello\n")
  })

  test("a database that is not there is one clear line, without the password", async () => {
    await using place = await directory({ "a.ts": assistant() })
    const env = { ROUSE_DATABASE_URL: "postgres://u:hush@127.0.0.1:1/d" }
    const { code, err } = await rouse(["start", "a.ts", "--port", "0"], { cwd: place.path, env })
    expect(code).not.toBe(0)
    expect(err).toMatch(/^rouse: postgres:\/\/127\.0\.0\.1:1\/d cannot be used: .*\n$/)
    expect(err).not.toContain("hush")
  })
})
