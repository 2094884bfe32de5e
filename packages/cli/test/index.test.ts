import { expect, test } from "vitest"
import * as names from "../src/index.ts"

test("the public names", () => {
  expect(Object.keys(names).sort()).toMatchInlineSnapshot(`
    [
      "processIo",
      "run",
    ]
  `)
})
