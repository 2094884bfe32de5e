import { expect, test } from "vitest"
import * as db from "../src/db.ts"
import * as aiSdk from "../src/ai-sdk.ts"
import * as client from "../src/index.ts"
import * as live from "../src/live.ts"
import * as react from "../src/react.ts"

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
  const others = [live, react, aiSdk].map((entry) => Object.keys(entry).sort())
  expect(others).toMatchInlineSnapshot(`
    [
      [
        "liveOf",
      ],
      [
        "RouseProvider",
        "typedHooks",
        "useAgent",
        "useAgents",
        "useApprovals",
        "useClient",
        "useShared",
        "useTimeline",
      ],
      [
        "chatMessages",
        "rouseChat",
      ],
    ]
  `)
})
