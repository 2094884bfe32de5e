import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import * as authors from "../src/index.ts"
import * as edge from "../src/edge.ts"
import * as code from "../src/code.ts"
import * as mcp from "../src/mcp.ts"
import * as mcpNode from "../src/mcp-stdio.ts"
import * as openapi from "../src/openapi.ts"
import * as hosts from "../src/runtime.ts"
import * as daytona from "../src/sandbox-daytona.ts"
import * as docker from "../src/sandbox-docker.ts"
import * as e2b from "../src/sandbox-e2b.ts"
import * as local from "../src/sandbox-local.ts"
import * as sandbox from "../src/sandbox.ts"
import * as testing from "../src/testing.ts"

test("public names", () => {
  expect(Object.keys(authors).sort()).toMatchInlineSnapshot(`
    [
      "RouseError",
      "clientCredentials",
      "createHandler",
      "createWorker",
      "defineEntity",
      "defineShared",
      "envSecrets",
      "fileSecrets",
      "firstSecret",
      "httpTool",
      "humanTool",
      "pgTable",
      "secret",
      "tool",
      "workerTool",
    ]
  `)
  expect(Object.keys(code)).toEqual(["codeTool"])
  expect(Object.keys(edge)).toEqual(["createHandler"])
  expect(Object.keys(docker)).toEqual(["dockerSandbox"])
  expect(Object.keys(e2b)).toEqual(["e2bSandbox"])
  expect(Object.keys(daytona)).toEqual(["daytonaSandbox"])
  expect(Object.keys(local)).toEqual(["localSandbox"])
  expect(Object.keys(sandbox).sort()).toEqual(["removeWorkspace", "sandboxTools", "sweepWorkspaces"])
  expect(Object.keys(mcp).sort()).toMatchInlineSnapshot(`
    [
      "closeMcp",
      "mcpHttp",
      "mcpOAuth",
      "mcpPrompt",
      "mcpPrompts",
      "mcpResource",
      "mcpSource",
      "mcpTools",
    ]
  `)
  expect(Object.keys(mcpNode).sort()).toMatchInlineSnapshot(`
    [
      "mcpStdio",
    ]
  `)
  expect(Object.keys(hosts).sort()).toMatchInlineSnapshot(`
    [
      "ATTEMPTS",
      "LiveRows",
      "checkRule",
      "checkScheduleName",
      "clearRegistry",
      "conversation",
      "cutOutput",
      "dueNow",
      "echoModel",
      "firstDueAtMs",
      "interruptedStatus",
      "isSettled",
      "modelResolver",
      "reachable",
      "redactedLog",
      "redactionOf",
      "registeredEntities",
      "resultLabel",
      "runWake",
      "seenKeys",
      "silentLog",
      "typeManifest",
      "validateArgs",
      "validateMessage",
      "withRegistry",
    ]
  `)
  expect(Object.keys(openapi)).toEqual(["openapiTools"])
  expect(Object.keys(testing).sort()).toMatchInlineSnapshot(`
    [
      "TestRouse",
      "createTestRouse",
      "diffSessions",
      "echoModel",
      "recordSession",
      "replaySession",
      "scriptedModel",
    ]
  `)
})

const src = fileURLToPath(new URL("../src", import.meta.url))
const all = readdirSync(src, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".ts"))
/** What only Node has is in `node/`, behind entry points of its own. */
const files = all.filter((name) => !name.startsWith("node/"))
const NODE_ENTRIES = ["mcp-stdio.ts", "sandbox-daytona.ts", "sandbox-docker.ts", "sandbox-local.ts"]

test("only Node's own entry points reach what only Node has", () => {
  const reaching = files.filter((name) => /from "\.{1,2}\/(.*\/)?node\//.test(readFileSync(`${src}/${name}`, "utf8")))
  expect(reaching.sort()).toEqual(NODE_ENTRIES)
})

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
