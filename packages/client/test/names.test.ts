import { expect, test } from "vitest"
import * as db from "../src/db.ts"
import * as client from "../src/index.ts"

test("the package's public names", () => {
  expect(Object.keys(client).sort()).toMatchInlineSnapshot()
  expect(Object.keys(db).sort()).toMatchInlineSnapshot()
})
