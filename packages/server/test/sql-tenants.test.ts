import { defineEntity, tool } from "@rouse/agents"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

const look = tool({
  name: "look",
  description: "Looks",
  input: z.object({ at: z.string() }),
  effect: "pure",
  execute: ({ at }) => at,
})

const desk = defineEntity("desk", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "Look.", model: "rouse/echo", tools: [...ctx.tools, look] })
    await ctx.agent.run()
  },
})

/** Roles are the server's, which other files share: they stay. */
const roleOf = (name: string): string =>
  `DO $$ BEGIN CREATE ROLE ${name} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;`
const VIEWS = ["agents", "runs", "model_calls", "tool_calls", "messages", "spend"]

describe.skipIf(!hasPostgres())("a role that reads for a tenant", () => {
  let database: PostgresDatabase
  let sql: postgres.Sql
  let harness: Harness
  const notices: string[] = []
  beforeAll(async () => {
    database = await sharedPostgres()
    sql = postgres(database.url, { max: 1, onnotice: ({ message }) => notices.push(message ?? "") })
    const members = ["acme_analyst", "both_analyst", "new_analyst"]
    await sql.unsafe(["rouse_reader", "rouse_tenant_reader", ...members].map(roleOf).join(""))
    await sql.unsafe(members.map((name) => `GRANT rouse_tenant_reader TO ${name};`).join(""))
    const store = await openPostgresStore({ url: database.url, clock: Date.now })
    harness = await Harness.open({ entities: [desk], store })
    for (const tenant of ["acme", "bolt"]) {
      await harness.spawn(`/desk/${tenant}`, { tags: { tenant } })
      await harness.ask(
        `/desk/${tenant}`,
        `/call look {"at":"${tenant}"}\n/spawn desk ${tenant}-child /say done\n/then\n/say ok`,
      )
    }
    await harness.spawn("/desk/nobodys")
    await harness.ask("/desk/nobodys", "/say mine")
    await sql`INSERT INTO rouse.tenant_reader (role, tenant) VALUES
      ('acme_analyst', 'acme'), ('both_analyst', 'acme'), ('both_analyst', 'bolt'), ('a_role_that_is_gone', 'bolt')`
    await sql.unsafe("SET search_path = rouse")
  })
  afterAll(async () => {
    await harness.close()
    await sql.end()
    await database.close()
  })

  /** The agents that a role finds in each of the views. */
  async function foundBy(role: string): Promise<Record<string, readonly string[]>> {
    await sql.unsafe(`SET ROLE ${role}`)
    const found: Record<string, readonly string[]> = {}
    for (const view of VIEWS) {
      const rows = await sql.unsafe(`SELECT DISTINCT agent FROM ${view} ORDER BY agent`)
      found[view] = rows.map(({ agent }) => agent as string)
    }
    await sql.unsafe("RESET ROLE")
    return found
  }

  const everywhere = (agents: readonly string[], callers: readonly string[]): Record<string, readonly string[]> => ({
    ...Object.fromEntries(VIEWS.map((view) => [view, agents])),
    tool_calls: callers,
  })

  test("sees the trees whose top has that tag, in every view, and nothing else", async () => {
    const acme = ["/desk/acme", "/desk/acme-child"]
    const bolt = ["/desk/bolt", "/desk/bolt-child"]
    expect(await foundBy("acme_analyst")).toEqual(everywhere(acme, ["/desk/acme"]))
    expect(await foundBy("both_analyst")).toEqual(everywhere([...acme, ...bolt], ["/desk/acme", "/desk/bolt"]))
    expect(await foundBy("new_analyst")).toEqual(everywhere([], []))
    const all = [...acme, ...bolt, "/desk/nobodys"]
    expect(await foundBy("rouse_reader")).toEqual(everywhere(all, ["/desk/acme", "/desk/bolt"]))
  })

  test("learns nothing of the others by what it asks with, and reads no table", async () => {
    await sql.unsafe("SET ROLE acme_analyst")
    await sql.unsafe(`CREATE FUNCTION pg_temp.leak(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS
      $$ BEGIN RAISE NOTICE '%', value; RETURN true; END $$`)
    notices.length = 0
    await sql.unsafe("SELECT count(*) FROM agents WHERE pg_temp.leak(agent)")
    await sql.unsafe("SELECT count(*) FROM tool_calls WHERE pg_temp.leak(input::text)")
    expect(notices).toEqual(expect.arrayContaining(["/desk/acme", "/desk/acme-child", '{"at": "acme"}']))
    expect(notices.join()).not.toContain("bolt")
    for (const table of ["tenant_reader", "entity", '"row"', "tag", "agent_base"])
      await expect(sql.unsafe(`SELECT * FROM ${table}`)).rejects.toMatchObject({ code: "42501" })
    await expect(sql`INSERT INTO tenant_reader (role, tenant) VALUES ('acme_analyst', 'bolt')`).rejects.toMatchObject({
      code: "42501",
    })
    await sql.unsafe("RESET ROLE")
  })

  test("reads one agent's rows without reading those of all", async () => {
    await sql.unsafe("SET ROLE acme_analyst; SET enable_seqscan = off")
    const plan = await sql.unsafe("EXPLAIN SELECT * FROM tool_calls WHERE agent = '/desk/acme'")
    await sql.unsafe("RESET ROLE; RESET enable_seqscan")
    const text = plan.map((row) => row["QUERY PLAN"] as string).join("\n")
    expect(text).toMatch(/Index Cond: \(+url = '\/desk\/acme'/)
  })
})
