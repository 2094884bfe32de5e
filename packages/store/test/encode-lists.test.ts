import fc from "fast-check"
import { hasPostgres, sharedPostgres } from "@rouse/testkit/postgres"
import type { PostgresDatabase } from "@rouse/testkit/postgres"
import postgres from "postgres"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { APPLY_LISTS, from, whenAny } from "../src/postgres/apply-lists.ts"
import type { ApplyList } from "../src/postgres/apply-lists.ts"
import { DatabaseError } from "../src/postgres/database-failure.ts"
import { encodeLists } from "../src/postgres/encode-lists.ts"
import type { ListItem } from "../src/postgres/encode-lists.ts"

/** What a group tells the database comes there as it was. */

const real = describe.skipIf(!hasPostgres())
let server: PostgresDatabase
let sql: postgres.Sql

const itemOf = ({ c, ...row }: { readonly c: number }): ListItem => ({ part: c, row })

/** Reads two lists that lie behind one another, the way the function does. */
const READ = `CREATE FUNCTION lists(sizes int4[], parts int4[], nums int8[], txts text[], hex text) RETURNS json LANGUAGE plpgsql AS $$
DECLARE byts bytea := decode(hex, 'hex'); at_c int4 := 0; at_n int4 := 0; at_t int4 := 0; found json := '[]'; more json;
BEGIN
${whenAny("w_row", `SELECT json_agg(w) INTO found FROM ${from("w_row")};`)}
${whenAny("w_retention", `SELECT json_agg(w) INTO more FROM ${from("w_retention")};`)}
RETURN json_build_array(found, more);
END $$`

beforeAll(async () => {
  server = await sharedPostgres()
  sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  await sql.unsafe(READ)
})
afterAll(async () => {
  await sql.end()
  await server.close()
})

describe("lists", () => {
  it("are told apart by their sizes, and those behind the last are left out", () => {
    const order = [...APPLY_LISTS.keys()]
    const rows = new Map<ApplyList, ListItem[]>([
      ["k_entity", [{ part: 7, row: { tree: 1, url: 'a"\\b', id: 2, version: 3, seq: undefined } }]],
      ["w_chunk", [{ part: 7, row: { tree: 1, stream: 2, tail: 3, data: Uint8Array.of(10, 255) } }]],
    ])
    const { sizes, parts, nums, txts, byts } = encodeLists(rows)
    const expected = order.slice(0, order.indexOf("w_chunk") + 1).map((list) => (rows.has(list) ? 1 : 0))
    expect(sizes).toBe(`{${expected.join()}}`)
    expect({ parts, nums, txts, byts }).toEqual({
      parts: "{7,7}",
      nums: "{1,2,3,NULL,1,2,3,1,2}",
      txts: '{"a\\"\\\\b"}',
      byts: "0aff",
    })
  })

  it("have no text that the database cannot keep", () => {
    for (const url of ["nul\0", "half\ud800"]) {
      const rows = new Map([["k_entity", [{ part: 0, row: { tree: 1, url, id: 1, version: 1, seq: 1 } }]]] as const)
      expect(() => encodeLists(rows)).toThrow(DatabaseError)
    }
  })
})

real("lists in the database", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary" }).filter((value) => !value.includes("\0")),
    fc.constantFrom(
      "",
      "NULL",
      "null",
      "{}",
      ",",
      '"',
      "\\",
      "\\n",
      "a\nb\tc",
      "\u001f",
      "\u{1f600}",
      '{"a":"\\"b\\""}',
    ),
  )
  const row = fc.record({
    c: fc.nat(100),
    tree: fc.integer({ min: 0, max: 2 ** 52 - 1 }),
    entity: fc.nat(),
    collection: text,
    key: text,
    value: fc.option(text),
  })
  const retained = fc.record({
    c: fc.nat(100),
    kind: fc.constantFrom("snapshot", "pin"),
    tree: fc.nat(),
    stream: fc.nat(),
    horizon: fc.option(fc.nat()),
    position: fc.nat(),
    holder: fc.option(text),
    data: fc.option(fc.uint8Array({ maxLength: 40 })),
  })

  it("property: are what they were", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 8 }), fc.array(retained, { maxLength: 8 }), async (rows, more) => {
        const given = new Map<ApplyList, readonly ListItem[]>()
        if (rows.length > 0) given.set("w_row", rows.map(itemOf))
        if (more.length > 0) given.set("w_retention", more.map(itemOf))
        const { sizes, parts, nums, txts, byts } = encodeLists(given)
        const [found] = await sql.unsafe("SELECT lists($1, $2, $3, $4, $5) AS lists", [sizes, parts, nums, txts, byts])
        const [one, two] = (found?.["lists"] ?? []) as readonly unknown[]
        expect(one).toEqual(rows)
        const hex = more.map(({ data, ...rest }) => ({
          ...rest,
          data: data === null ? null : `\\x${Buffer.from(data).toString("hex")}`,
        }))
        expect(two ?? []).toEqual(hex)
      }),
      { numRuns: 60 },
    )
  })
})
