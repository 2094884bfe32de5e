import { expect, test } from "vitest"
import * as db from "../src/db.ts"
import * as client from "../src/index.ts"

test("the package's public names", () => {
  expect(Object.keys(client).sort()).toMatchInlineSnapshot(`
    [
      "RouseError",
      "applyChange",
      "applyChanges",
      "createClient",
      "emptyTimeline",
      "statusOf",
      "usageOf",
    ]
  `)
  expect(Object.keys(db).sort()).toMatchInlineSnapshot(`
    [
      "entityDb",
      "sharedDb",
    ]
  `)
})
