import { type HandlerCommit, PARKED_KEY, type Row, type WakeRequest } from "@rouse/protocol"
import { expect, test } from "vitest"
import { z } from "zod"
import { defineEntity } from "../src/index.ts"
import type { EntityDefinition } from "../src/index.ts"
import { runWake } from "../src/runtime.ts"
import { RecordingBackend, message, request, testHost } from "./support/backend.ts"

const OLD: readonly Row[] = [
  { collection: "notes", key: "a", value: { id: "a", text: "one two" } },
  { collection: "notes", key: "b", value: { id: "b", text: "" } },
]

function book(words: (text: string) => number): EntityDefinition {
  return defineEntity("assistant", {
    schema: 3,
    state: { notes: { schema: z.object({ id: z.string(), words: z.number() }), key: "id" } },
    migrate: ({ notes = [] }) => ({
      notes: notes
        .filter((note) => note["text"] !== "")
        .map(({ id, text }) => ({ id: String(id), words: words(String(text)) })),
    }),
    handler: (ctx) => ctx.reply(ctx.state.notes.list().map((note) => note.words)),
  })
}

async function wake(rows: readonly Row[], schema?: number): Promise<HandlerCommit | undefined> {
  const backend = new RecordingBackend()
  const asked = request([...rows, message("m1", "go")])
  const entity = schema === undefined ? asked.entity : { ...asked.entity, schema }
  const sent: WakeRequest = { ...asked, entity }
  await runWake(
    book((text) => text.split(" ").length),
    sent,
    backend,
    testHost(),
  )
  return backend.commits.at(-1)
}

const notesOf = (commit: HandlerCommit | undefined): unknown => commit?.events.filter((event) => event.type === "notes")

test("rows of an older schema are replaced in the wake's first commit, with the schema that they are of", async () => {
  const commit = await wake(OLD, 2)
  expect(notesOf(commit)).toEqual([
    { type: "notes", key: "a", value: { id: "a", words: 2 }, headers: { operation: "update" } },
    { type: "notes", key: "b", headers: { operation: "delete" } },
  ])
  expect(commit).toMatchObject({ schema: 3, finish: { kind: "completed", reply: [2] } })
})

test("rows from before schemas were counted are of the first", async () => {
  expect(await wake(OLD)).toMatchObject({ schema: 3, finish: { reply: [2] } })
})

test("a new agent is of today's schema, and migrates nothing", async () => {
  expect(await wake([])).toMatchObject({ schema: 3, finish: { reply: [] } })
})

test("rows of today's schema are left alone, and nothing more is written for it", async () => {
  const commit = await wake([{ collection: "notes", key: "a", value: { id: "a", words: 7 } }], 3)
  expect(notesOf(commit)).toEqual([])
  expect(commit).not.toHaveProperty("schema")
})

test("what a handler wrote before it asked is migrated too, and not taken back in the wake that has the answer", async () => {
  const began = { run: "r000001", wake: "earlier", messages: [] }
  const wrote = { collection: "notes", key: "a", before: { id: "a", text: "one" } }
  const commit = await wake(
    [
      ...OLD,
      { collection: "memo", key: "earlier:state:000000", value: { wake: "earlier", value: wrote } },
      { collection: "memo", key: PARKED_KEY, value: { wake: "earlier", value: began } },
      { collection: "run", key: "r000001", value: { id: "r000001", status: "suspended", startedAt: "" } },
    ],
    2,
  )
  expect(notesOf(commit)).toHaveLength(2)
  expect(commit).toMatchObject({ schema: 3, finish: { reply: [2] } })
})

test("rows of a newer schema are not touched", async () => {
  await expect(wake(OLD, 4)).rejects.toThrow(/are of schema 4, and this version of assistant knows up to 3/)
})

test("what migrate makes is checked", async () => {
  const asked = request([...OLD, message("m1", "go")])
  const wrong = book(() => "many" as never)
  await expect(runWake(wrong, asked, new RecordingBackend(), testHost())).rejects.toThrow(/migrate: notes\.words/)
})

test("the options are checked where the entity is defined", () => {
  expect(() => defineEntity("x", { schema: 0, handler: () => undefined })).toThrow(/schema must be a positive/)
  expect(() => defineEntity("x", { migrate: 5 as never, handler: () => undefined })).toThrow(
    /migrate must be a function/,
  )
})
