import { describe, expect, test } from "vitest"
import { loadProblem, placeText } from "../src/core/load-problem.ts"

const PROJECT = {
  toPath: (url: string) => url.replace("file://", ""),
  has: (path: string) => path === "/p/a.ts",
  source: () => 'const a = 1\nimport x from "lodash"\n',
}

function thrown(stack: string, message: string, name = "Error"): Error {
  return Object.assign(new Error(message), { stack, name })
}

describe("what went wrong in a module", () => {
  test("a file that does not compile: the place above the stack", () => {
    const error = thrown(
      "file:///p/a.ts?v=2:2\nconst b: number = = 3\n                  ^\n\nSyntaxError: Expression expected\n    at node:internal/x:1:1",
      "Expression expected",
      "SyntaxError",
    )
    const { message, place } = loadProblem(error, PROJECT)
    expect(message).toBe("SyntaxError: Expression expected")
    expect(place).toEqual({ file: "/p/a.ts", line: 2, column: 19 })
  })

  test("a module that throws: its first frame in the project", () => {
    const error = thrown(
      "TypeError: boom\n    at f (file:///elsewhere/x.js:1:1)\n    at g (file:///p/a.ts?v=12:7:22)\n    at node:internal/x:1:1",
      "boom",
      "TypeError",
    )
    const { message, place } = loadProblem(error, PROJECT)
    expect(message).toBe("TypeError: boom")
    expect(place && placeText(place)).toBe("/p/a.ts:7:22")
  })

  test("a package that is missing: what to install, and the line that imports it", () => {
    const error = thrown("Error", "Cannot find package 'lodash' imported from /p/a.ts?v=3")
    expect(loadProblem(error, PROJECT)).toEqual({
      message: "the package lodash is not installed: npm install lodash",
      place: { file: "/p/a.ts", line: 2 },
    })
  })

  test("what is thrown may be anything", () => {
    expect(loadProblem(5, PROJECT).message).toBe("it threw 5")
    expect(loadProblem(undefined, PROJECT).message).toBe("it threw undefined")
  })
})
