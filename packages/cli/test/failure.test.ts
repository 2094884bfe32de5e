import { RouseError } from "@rouse/protocol"
import { describe, expect, test } from "vitest"
import { explain, usage } from "../src/core/failure.ts"

const SERVER = "http://127.0.0.1:4437"

describe("one line for any failure", () => {
  test("a refusal says what the server said, and what to do", () => {
    const failure = explain(new RouseError("UNKNOWN_ENTITY", "there is no agent /a/b."), SERVER)
    expect(failure.exit).toBe(1)
    expect(failure.line).toBe("there is no agent /a/b: `rouse ps` lists the agents, `rouse spawn` makes one")
  })

  test("what was typed wrongly exits with 2", () => {
    expect(explain(usage("no"), SERVER)).toEqual({ code: "BAD_REQUEST", line: "no", exit: 2 })
  })

  test("a server that cannot be reached is named, however deep the cause", () => {
    const refused = Object.assign(new Error("connect"), { code: "ECONNREFUSED" })
    const error = new RouseError("INTERNAL", "fetch failed", {
      cause: new TypeError("fetch failed", { cause: new AggregateError([refused]) }),
    })
    expect(explain(error, SERVER).line).toBe(
      `cannot reach ${SERVER} (ECONNREFUSED): start a server with \`rouse dev\`, or set ROUSE_URL`,
    )
  })

  test("more than one line becomes one", () => {
    expect(explain(new Error("a\n   b\n\nc"), SERVER).line).toBe("a b c")
    expect(explain("thrown text", SERVER).line).toBe("thrown text")
  })
})
