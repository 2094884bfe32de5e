import { readFile } from "node:fs/promises"
import { Validator } from "@seriousme/openapi-schema-validator"
import { defineEntity, secret } from "@rouse/agents"
import { openapiTools } from "@rouse/agents/openapi"
import type { Row, ToolCallRow } from "@rouse/protocol"
import { afterEach, expect, test } from "vitest"
import { createRoutes } from "../src/http/app.ts"
import { routePath } from "../src/http/mount.ts"
import { openapiDocument } from "../src/http/openapi.ts"
import { OPERATIONS } from "../src/http/operations/operations.ts"
import { parseTokens } from "../src/index.ts"
import { DEFAULT_LIMITS } from "../src/limits.ts"
import type { Plane } from "../src/plane.ts"
import { Harness } from "./harness.ts"
import { conforming } from "./support/conformance.ts"

const [READ, WRITE] = ["read-token-0123456789", "write-token-0123456789"]
const TOKENS = parseTokens(
  JSON.stringify({
    tokens: [
      { name: "reader", token: READ, scope: "read" },
      { name: "writer", token: WRITE, scope: "write" },
    ],
  }),
)

const open: Harness[] = []
afterEach(async () => {
  for (const harness of open.splice(0)) await harness.close()
})

async function serve(options: Partial<Parameters<typeof Harness.open>[0]> = {}): Promise<Harness> {
  const harness = await Harness.open({ entities: [], ...options })
  open.push(harness)
  return harness
}

/** Only what is mounted is looked at: no route is called. */
function mounted(): readonly string[] {
  const app = createRoutes({
    plane: { limits: DEFAULT_LIMITS } as Plane,
    gate: { tokens: [] },
    webhooks: {},
    events: {},
    stop: new AbortController().signal,
    page: undefined,
    version: "1",
    isReady: () => true,
  } as unknown as Parameters<typeof createRoutes>[0])
  const routes = app.routes.filter(({ path }) => !path.endsWith("*")).map(({ method, path }) => `${method} ${path}`)
  return [...new Set(routes)].toSorted()
}

test("every route is in the document, and the other way round", () => {
  const described = OPERATIONS.filter(({ tag }) => tag !== "streams").map(
    (operation) => `${operation.method.toUpperCase()} ${routePath(operation)}`,
  )
  expect(mounted()).toEqual(described.toSorted())
})

test("it is a valid OpenAPI document, and every operation has a name of its own", async () => {
  const { status, body } = await (await serve()).call<object>("GET", "/v1/openapi.json")
  expect(status).toBe(200)
  expect(body).toEqual(JSON.parse(JSON.stringify(openapiDocument("0.0.0"))))
  const validator = new Validator()
  const result = await validator.validate(structuredClone(body) as Parameters<Validator["validate"]>[0])
  expect(result).toEqual({ valid: true })
  expect(validator.version).toBe("3.1")
  const ids = OPERATIONS.map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test("who may do what is said as the gate holds it", async () => {
  const { paths } = openapiDocument("1") as {
    paths: Record<string, Record<string, { security: readonly Record<string, readonly string[]>[] }>>
  }
  const scopes = Object.fromEntries(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { security }]) => [`${method} ${path}`, security]),
    ),
  )
  expect(scopes).toMatchObject({
    "get /v1/entities": [{ token: ["read"] }],
    "post /v1/entities/{type}/{id}/messages": [{ token: ["write"] }],
    "delete /v1/entities/{type}/{id}": [{ token: ["admin"] }],
    "put /v1/types/{name}": [{ token: ["admin"] }],
    "post /v1/tool-claims": [{ token: ["work"] }],
    "post /v1/commits": [{ claim: [] }],
    "post /v1/webhooks/{source}": [],
    "get /healthz": [],
  })
  const harness = await serve({ tokens: TOKENS })
  expect((await harness.call("GET", "/v1/openapi.json")).status).toBe(401)
  const authorization = `Bearer ${READ}`
  expect((await harness.call("GET", "/v1/openapi.json", undefined, { authorization })).status).toBe(200)
})

test("what an operation does not say of itself is found out", async () => {
  const answer = (response: Response) => conforming(async () => response)
  const at = (path: string, method = "GET") => new Request(`http://localhost${path}`, { method })
  await expect(answer(Response.json({ status: "ok", more: 1 }))(at("/healthz"))).rejects.toThrow(
    "additional properties",
  )
  await expect(answer(Response.json({}, { status: 418 }))(at("/healthz"))).rejects.toThrow("418")
  await expect(answer(Response.json({ url: "/a/b" }))(at("/v1/entities/a/b"))).rejects.toThrow("required property")
  await expect(answer(Response.json({}))(at("/v1/nothing"))).rejects.toThrow("in no document")
  const problem = { type: "urn:x", title: "x", status: 404, code: "UNKNOWN_TYPE", detail: "x" }
  const headers = { "content-type": "application/problem+json" }
  const refused = Response.json(problem, { status: 404, headers })
  await expect(answer(refused)(at("/v1/entities/a/b"))).rejects.toThrow("must be equal to one of the allowed values")
})

test("an agent lists agents by it, with a token that it does not see", async () => {
  let server = ""
  const lister = defineEntity("lister", {
    async handler(ctx) {
      const { tools } = await openapiTools({
        document: JSON.parse(JSON.stringify(openapiDocument("1"))) as object,
        ...{ server, private: true, operations: ["listEntities"], auth: { token: secret("READ_TOKEN") } },
      })
      ctx.useAgent({ systemPrompt: "List.", model: "rouse/echo", tools })
      await ctx.agent.run()
    },
  })
  const harness = await serve({ entities: [lister], tokens: TOKENS, env: { READ_TOKEN: READ } })
  server = (await harness.server.listen({ host: "127.0.0.1", port: 0 })).url
  const authorization = `Bearer ${WRITE}`
  const content = '/call listEntities {"type":"lister","limit":5}'
  await harness.call("PUT", "/v1/entities/lister/b", {}, { authorization })
  await harness.call("PUT", "/v1/entities/lister/a?wait=20s", { message: content }, { authorization })
  const path = "/v1/entities/lister/a/state/tool_call"
  const { body } = await harness.call<{ rows: Row<ToolCallRow>[] }>("GET", path, undefined, { authorization })
  expect(body.rows[0]?.value).toMatchObject({ status: "done", effect: "pure", backend: "http" })
  expect(JSON.stringify(body.rows[0]?.value.output)).toContain("/lister/b")
})

test("docs/http.md lists every operation", async () => {
  const page = await readFile(new URL("../../../docs/http.md", import.meta.url), "utf8")
  const rows = page.split("\n").flatMap((line) => {
    const cells = line.split(" | ").map((cell) => cell.replace(/^\| |\s*\|?$/g, "").trim())
    return /^`(GET|HEAD|PUT|POST|DELETE) /.test(cells[0] ?? "") ? [cells.join(" | ")] : []
  })
  expect(rows).toEqual(
    OPERATIONS.map(({ method, path, summary, id }) => `\`${method.toUpperCase()} ${path}\` | ${summary} | \`${id}\``),
  )
})
