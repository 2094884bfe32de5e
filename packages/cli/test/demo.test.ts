import type { EntitySummary } from "@rouse/protocol"
import { applyChanges, emptyTimeline } from "@rouse/client"
import { describe, expect, test } from "vitest"
import { isOver, problemOfDebate } from "../src/core/debate.ts"
import { wrap } from "../src/output/chorus.ts"
import { directory, rouse, start } from "./harness.ts"

function entity(status: EntitySummary["status"], pending = 0): EntitySummary {
  const at = "2026-11-23T12:00:00.000Z"
  return {
    url: "/manager/demo",
    type: "manager",
    id: "demo",
    status,
    args: {},
    tags: {},
    parent: null,
    createdAt: at,
    activeAt: at,
    pending,
    stream: "entities/manager/demo",
  }
}

describe("when a debate is over", () => {
  test("nothing runs and nothing waits", () => {
    expect(isOver([])).toBe(false)
    expect(isOver([entity("idle"), entity("suspended")])).toBe(false)
    expect(isOver([entity("idle", 1)])).toBe(false)
    expect(isOver([entity("idle"), entity("stopped")])).toBe(true)
  })

  test("it ended well when its leader completed and nobody died", () => {
    const run = (status: string): ReturnType<typeof emptyTimeline> =>
      applyChanges(emptyTimeline(), [
        {
          type: "run",
          key: "r000001",
          value: { id: "r000001", wake: "w", status, startedAt: "" },
          headers: { operation: "insert" },
        },
      ])
    const problem = (status: string, entities = [entity("idle")]): string | undefined =>
      problemOfDebate("/manager/demo", entities, new Map([["/manager/demo", run(status)]]))
    expect(problem("completed")).toBeUndefined()
    expect(problem("failed")).toBe("/manager/demo ended failed")
    expect(problem("completed", [entity("dead")])).toBe("/manager/demo was dead-lettered")
    expect(problemOfDebate("/manager/demo", [], new Map())).toBe("/manager/demo never ran")
  })
})

test("text is broken between words, and long words stay whole", () => {
  expect(wrap("one two three", 7)).toEqual(["one two", "three"])
  expect(wrap("a\n\nb", 7)).toEqual(["a", "", "b"])
  expect(wrap("unbreakable", 4)).toEqual(["unbreakable"])
})

describe("the demo", () => {
  test("--once shows the debate and ends well", async () => {
    await using place = await directory()
    const { code, out, err } = await rouse(["demo", "--once"], { cwd: place.path })
    expect(out).toMatch(/^\n● rouse demo {2}http:\/\/127\.0\.0\.1:\d+\n/)
    expect(out).toContain("/judge/demo-judge")
    expect(out).toMatch(/✓ the debate is over: 4 agents, \d+ messages, \d+ steps, \d+ tool calls, \d+ tokens, /)
    expect({ code, err }).toEqual({ code: 0, err: "" })
  })

  test("without --once it serves on, until Ctrl-C", async () => {
    await using place = await directory()
    const demo = start(["demo", "--port", "0"], { cwd: place.path })
    await demo.until("out", /press Ctrl-C to stop/)
    const [, url = ""] = /(http:\S+)/.exec(demo.out()) ?? []
    expect(
      (await rouse(["ps", "--json"], { cwd: place.path, env: { ROUSE_URL: url } })).out.trim().split("\n"),
    ).toHaveLength(4)
    demo.child.kill("SIGINT")
    expect((await demo.finished).code).toBe(0)
  })
})
