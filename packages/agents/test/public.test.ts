import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import * as authors from "../src/index.ts"
import * as openapi from "../src/openapi.ts"
import * as hosts from "../src/runtime.ts"
import * as testing from "../src/testing.ts"

test("public names", () => {
  expect(Object.keys(authors).sort()).toMatchInlineSnapshot(`
    [
      "RouseError",
      "clientCredentials",
      "defineEntity",
      "envSecrets",
      "fileSecrets",
      "firstSecret",
      "httpTool",
      "secret",
      "tool",
    ]
  `)
  expect(Object.keys(hosts).sort()).toMatchInlineSnapshot(`
    [
      "LiveRows",
      "checkRule",
      "checkScheduleName",
      "clearRegistry",
      "conversation",
      "dueNow",
      "echoModel",
      "firstDueAtMs",
      "interruptedStatus",
      "isSettled",
      "modelResolver",
      "reachable",
      "redactedLog",
      "registeredEntities",
      "runWake",
      "seenKeys",
      "silentLog",
      "typeInfo",
      "validateArgs",
      "withRegistry",
    ]
  `)
  expect(Object.keys(openapi)).toEqual(["openapiTools"])
  expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
    [
      "TestRouse",
      "createTestRouse",
      "echoModel",
      "scriptedModel",
    ]
  `)
})

const src = fileURLToPath(new URL("../src", import.meta.url))
const files = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))

test.each(files)("%s runs on every runtime", (name) => {
  const text = readFileSync(`${src}/${name}`, "utf8")
  expect(text).not.toMatch(/from "node:|import\("node:|\bBuffer\b|(?<![.\w"{ ])process\.|require\(/)
  expect(text).not.toMatch(/from "@rouse\/(server|store|client|streams|cli)/)
  if (!name.startsWith("core/")) return
  expect(text).not.toMatch(/Date\.now|new Date\(|Math\.random|setTimeout|fetch\(/)
  for (const [, from] of text.matchAll(/^import .*from "([^"]+)"/gm)) {
    expect(from).toMatch(/^\.\/|^@rouse\/protocol$|^@ai-sdk\/provider$|^@standard-schema\/spec$/)
  }
})
