import { defineEntity, tool } from "@rouse/agents"
import { openPostgresStore } from "@rouse/store/postgres"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { z } from "zod"
import { Harness } from "./harness.ts"

const add = tool({
  name: "add",
  description: "Adds two numbers",
  input: z.object({ a: z.number(), b: z.number() }),
  effect: "pure",
  execute: ({ a, b }) => a + b,
})

const adder = defineEntity("adder", {
  async handler(ctx) {
    ctx.useAgent({ systemPrompt: "Add.", model: "rouse/echo", tools: [add] })
    await ctx.agent.run()
  },
})

/** The role is the server's, which other files share: it stays. */
const ROLE = `DO $$ BEGIN CREATE ROLE rouse_reader NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`

describe.skipIf(!hasPostgres())("what SQL sees", () => {
  let database: PostgresDatabase
  let sql: postgres.Sql
  let harness: Harness
  beforeAll(async () => {
    database = await sharedPostgres()
    sql = postgres(database.url, { max: 1, onnotice: () => undefined })
    await sql.unsafe(ROLE)
    const store = await openPostgresStore({ url: database.url, clock: Date.now })
    harness = await Harness.open({ entities: [adder], store })
    await harness.spawn("/adder/one", { args: { n: 1 }, tags: { tenant: "acme" } })
    await harness.ask("/adder/one", '/call add {"a":2,"b":3}')
    await harness.ask("/adder/one", "a\0b")
    await sql.unsafe("SET ROLE rouse_reader; SET search_path = rouse")
  })
  afterAll(async () => {
    await harness.close()
    await sql.end()
    await database.close()
  })

  test("is agents, runs, model calls, tool calls and messages, by a role that may read nothing else", async () => {
    expect(await sql`SELECT agent, type, root, id, status, tags, args FROM agents`).toMatchObject([
      { agent: "/adder/one", type: "adder", root: "/adder/one", id: "one", tags: { tenant: "acme" }, args: { n: 1 } },
    ])
    expect(await sql`SELECT DISTINCT agent, status, ended_at >= started_at AS ended FROM runs`).toEqual([
      { agent: "/adder/one", status: "completed", ended: true },
    ])
    expect(await sql`SELECT tool, effect, status, input, output, attempts FROM tool_calls`).toEqual([
      { tool: "add", effect: "pure", status: "done", input: { a: 2, b: 3 }, output: 5, attempts: 1 },
    ])
    const contents =
      await sql`SELECT content FROM messages WHERE agent = '/adder/one' AND status = 'processed' ORDER BY at`
    expect(contents.map(({ content }) => content as string)).toEqual(['/call add {"a":2,"b":3}', "a\ufffdb"])
    for (const table of ["entity", '"row"', "secret", "chunk", "agent_base"])
      await expect(sql.unsafe(`SELECT * FROM ${table}`)).rejects.toMatchObject({ code: "42501" })
    await expect(sql`DELETE FROM messages`).rejects.toThrow()
  })

  test("is what was spent, and as much as the calls of models say", async () => {
    const [spent] =
      await sql`SELECT sum(calls)::int AS calls, sum(input_tokens)::int AS input, sum(output_tokens)::int AS output FROM spend`
    const [called] =
      await sql`SELECT count(*)::int AS calls, sum(input_tokens)::int AS input, sum(output_tokens)::int AS output FROM model_calls`
    expect(spent).toEqual(called)
    expect(Number(spent?.["calls"])).toBe(3)
  })
})
