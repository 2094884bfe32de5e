import { describe, expect, test } from "vitest"
import { validate } from "../src/core/validate.ts"
import { secret } from "../src/index.ts"
import type { Tool } from "../src/index.ts"
import { openapiTools } from "../src/openapi.ts"
import type { OpenapiOptions, OpenapiTools } from "../src/openapi.ts"
import { Service, cut, json, toolContext } from "./support/service.ts"

const YAML = `
openapi: 3.1.0
info: { title: Pay, version: "1" }
servers: [{ url: "https://pay.example/{stage}", variables: { stage: { default: v1 } } }]
security: [{ key: [] }]
paths:
  /orders/{order}:
    parameters: [{ $ref: "#/components/parameters/Order" }]
    get:
      operationId: getOrder
      summary: Finds an order
      parameters:
        - { name: expand, in: query, schema: { type: array, items: { type: string } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object } }
        - { name: ids, in: query, explode: false, schema: { type: array, items: { type: integer } } }
        - { name: x-trace, in: header, schema: { type: string } }
    put:
      operationId: setOrder
      requestBody: { required: true, content: { application/json: { schema: { $ref: "#/components/schemas/Order" } } } }
    delete: { operationId: dropOrder, security: [] }
  /charges:
    post:
      operationId: charge
      requestBody:
        content: { application/x-www-form-urlencoded: { schema: { type: object, properties: { cents: { type: integer } } } } }
    get:
      operationId: findCharges
      parameters: [{ name: key, in: query, required: true, schema: { type: string } }]
  /files:
    post:
      operationId: upload
      parameters: [{ name: Idempotency-Key, in: header, required: true, schema: { type: string } }]
      requestBody: { content: { multipart/form-data: { schema: { type: object } } } }
components:
  parameters:
    Order: { name: order, in: path, required: true, schema: { type: string } }
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key }
  schemas:
    Order:
      type: object
      required: [cents, id]
      properties:
        id: { type: string, readOnly: true }
        cents: { type: integer, minimum: 1 }
        parts: { type: array, items: { $ref: "#/components/schemas/Order" } }
`

function load(options: Partial<OpenapiOptions> = {}): Promise<OpenapiTools> {
  return openapiTools({ document: YAML, auth: { key: secret("PAY_KEY") }, ...options })
}

function named(tools: readonly Tool[], name: string): Tool {
  const found = tools.find((tool) => tool.name === name)
  if (!found) throw new Error(`no tool ${name}`)
  return found
}

const ctx = () => toolContext({ secrets: (name) => `${name}-value` })

test("each operation becomes a tool, with its effect class", async () => {
  const { tools, warnings } = await load({ effects: { dropOrder: "once" } })
  expect(tools.map((tool) => [tool.name, tool.effect, tool.backend])).toEqual([
    ["getOrder", "pure", "http"],
    ["setOrder", "idempotent", "http"],
    ["dropOrder", "once", "http"],
    ["findCharges", "pure", "http"],
    ["charge", "once", "http"],
    ["upload", "idempotent", "http"],
  ])
  expect(warnings).toEqual([
    "PUT /orders/{order}: the schema #/components/schemas/Order holds itself; it is described once",
  ])
  expect(named(tools, "setOrder").inputSchema).toEqual({
    type: "object",
    properties: {
      order: { type: "string" },
      body: {
        type: "object",
        required: ["cents"],
        properties: {
          cents: { type: "integer", minimum: 1 },
          parts: { type: "array", items: { description: "As Order above." } },
        },
      },
    },
    required: ["order", "body"],
    additionalProperties: false,
  })
})

test("input is checked against the document, and the error names the field", async () => {
  const setOrder = named((await load()).tools, "setOrder")
  await expect(validate(setOrder.input, { order: "o1", body: { cents: 0 } }, "input")).rejects.toThrow(
    /input.body.cents/,
  )
  await expect(validate(setOrder.input, { body: { cents: 1 } }, "input")).rejects.toThrow(/order/)
  await expect(validate(setOrder.input, "what", "input")).rejects.toMatchObject({ code: "INVALID_ARGS" })
  expect(await validate(setOrder.input, { order: "o1", body: { cents: 1 } }, "input")).toBeDefined()
})

test("parameters and bodies are written in their styles", async () => {
  const service = await Service.open(json({}))
  const { tools } = await load({ server: `${service.url}/v1/` })
  const expand = ["a b", "c"]
  const filter = { "a&": 1, b: "x" }
  await named(tools, "getOrder").execute({ order: "o/1", expand, filter, ids: [1, 2], "x-trace": "t" }, ctx())
  await named(tools, "charge").execute({ body: { cents: 5, tags: ["a", "b"] } }, ctx())
  await named(tools, "upload").execute({ body: { name: "x", meta: { a: 1 } } }, ctx())
  await named(tools, "dropOrder").execute({ order: "o1" }, ctx())
  const [get, form, multipart, drop] = service.seen
  expect(get).toMatchObject({
    method: "GET",
    url: "/v1/orders/o%2F1?expand=a%20b&expand=c&filter%5Ba%26%5D=1&filter%5Bb%5D=x&ids=1,2",
    headers: { "x-trace": "t", "x-key": "PAY_KEY-value" },
  })
  expect(get?.headers["idempotency-key"]).toBeUndefined()
  expect(form).toMatchObject({ body: "cents=5&tags=a&tags=b", headers: { "idempotency-key": "assistant/one@1/call" } })
  expect(multipart?.headers["content-type"]).toBe("multipart/form-data; boundary=rouse-form")
  const parts = await new Response(multipart?.body, {
    headers: { "content-type": String(multipart?.headers["content-type"]) },
  }).formData()
  expect(parts.get("name")).toBe("x")
  expect(drop?.headers["x-key"]).toBeUndefined()
})

test("lists and objects in a path", async () => {
  const service = await Service.open(json({}))
  const place = (name: string, explode: boolean) => ({ name, in: "path", required: true, explode, schema: {} })
  const get = { operationId: "get", parameters: [place("a", false), place("b", true), place("c", false)] }
  const { tools } = await openapiTools({
    document: { openapi: "3.1.0", paths: { "/x/{a}/{b}/{c}": { get } } },
    server: service.url,
  })
  await named(tools, "get").execute({ a: [1, "2/3"], b: { k: "v", l: 1 }, c: "p,q" }, ctx())
  expect(service.seen[0]?.url).toBe("/x/1,2%2F3/k=v,l=1/p%2Cq")
})

test("a call that was cut off is found by another operation", async () => {
  const service = await Service.open(json([{ id: 1 }]), json([]), cut)
  const { tools } = await load({
    server: service.url,
    reconcile: { charge: { operation: "findCharges", input: (_, { idempotencyKey }) => ({ key: idempotencyKey }) } },
  })
  const charge = named(tools, "charge")
  expect(charge.effect).toBe("reconcilable")
  expect(await charge.reconcile?.({}, ctx())).toEqual([{ id: 1 }])
  expect(await charge.reconcile?.({}, ctx())).toBeUndefined()
  await expect(charge.execute({}, ctx())).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" })
  expect(service.seen[0]?.url).toBe("/charges?key=assistant%2Fone%401%2Fcall")
})

describe("security", () => {
  const secured = (schemes: object, security: object[]) => ({
    openapi: "3.0.3",
    servers: [{ url: "https://x.example" }],
    paths: { "/a": { get: { operationId: "a", security } } },
    components: { securitySchemes: schemes },
  })
  const play = async (schemes: object, security: object[], auth: OpenapiOptions["auth"]) => {
    const service = await Service.open(json({ access_token: "the-access-token" }))
    const { tools, warnings } = await openapiTools({
      document: secured(schemes, security),
      server: service.url,
      ...(auth ? { auth } : {}),
    })
    await named(tools, "a").execute({}, ctx())
    return { service, warnings, seen: service.seen.at(-1) }
  }
  const bearer = { type: "http", scheme: "bearer" }

  test("bearer, basic, a key in the query or a cookie", async () => {
    const all = {
      b: bearer,
      u: { type: "http", scheme: "basic" },
      q: { type: "apiKey", in: "query", name: "k" },
      c: { type: "apiKey", in: "cookie", name: "sid" },
    }
    expect((await play(all, [{ b: [] }], { b: secret("K_ONE") })).seen?.headers.authorization).toBe(
      "Bearer K_ONE-value",
    )
    const basic = await play(all, [{ u: [] }], { u: { user: "me", password: secret("K_TWO") } })
    expect(basic.seen?.headers.authorization).toBe(`Basic ${btoa("me:K_TWO-value")}`)
    const both = await play(all, [{ b: [] }, { q: [], c: [] }], { q: secret("K_THREE"), c: secret("K_FOUR") })
    expect(both.seen).toMatchObject({ url: "/a?k=K_THREE-value", headers: { cookie: "sid=K_FOUR-value" } })
  })

  test("OAuth 2 client credentials, at the document's address or another", async () => {
    const scheme = { o: { type: "oauth2", flows: { clientCredentials: { tokenUrl: "/token", scopes: { r: "" } } } } }
    const { service, warnings } = await play(scheme, [{ o: ["r"] }], {
      o: { clientId: "me", clientSecret: secret("K_FIVE") },
    })
    expect(warnings).toEqual([])
    expect(service.seen.map((seen) => [seen.url, seen.headers.authorization?.slice(0, 6)])).toEqual([
      ["/token", "Basic "],
      ["/a", "Bearer"],
    ])
    expect(service.seen[0]?.body).toContain("scope=r")
  })

  test("what is missing or not supported is said", async () => {
    expect((await play({ b: bearer }, [{ b: [] }], undefined)).warnings).toEqual([
      "GET /a: there are no credentials for b: give auth",
    ])
    expect((await play({ b: bearer }, [{ b: [] }, {}], undefined)).warnings).toEqual([])
    const tls = await play({ m: { type: "mutualTLS" } }, [{ m: [] }], { m: secret("K_SIX") })
    expect(tls.warnings).toEqual(["GET /a: the security scheme m is of type mutualTLS, which is not supported"])
    const wrong = await play({ b: bearer }, [{ b: [] }], { b: { user: "u", password: secret("K_SEVEN") } })
    expect(wrong.warnings).toEqual(["GET /a: the credentials for b do not fit its scheme, bearer"])
  })
})

test("what cannot be done is warned of, and the rest works", async () => {
  const document = {
    openapi: "3.0.0",
    servers: [{ url: "https://x.example" }],
    paths: {
      "/ok": { get: { operationId: "ok" }, trace: {} },
      "/same": { get: { operationId: "ok" }, post: { callbacks: {}, "x-idempotency": true } },
      "/odd schema": {
        post: { operationId: "a b/ö", requestBody: { content: { "application/json": { schema: "string" } } } },
        put: { operationId: "list", requestBody: { content: { "application/json": { schema: [] } } } },
      },
      "/pattern": {
        get: {
          operationId: "p",
          parameters: [
            { name: "x", in: "query", schema: { type: "string", pattern: "(?<!a)[", nullable: true } },
            { name: "n", in: "query", schema: { type: "integer", minimum: 1, exclusiveMinimum: true } },
            { name: "m", in: "query", style: "matrix" },
            { $ref: "other.yaml#/x" },
            "what",
          ],
        },
      },
      "/{lost}": { get: { operationId: "lost" } },
      "/binary": { post: { operationId: "binary", requestBody: { required: true, content: { "image/png": {} } } } },
      "/loop": { $ref: "#/paths/~1loop" },
      nothing: null,
    },
  }
  const { tools, warnings } = await openapiTools({ document })
  expect(tools.map((tool) => [tool.name, tool.effect])).toEqual([
    ["ok", "pure"],
    ["ok_2", "pure"],
    ["POST_same", "idempotent"],
    ["a_b", "once"],
    ["list", "idempotent"],
    ["p", "pure"],
  ])
  expect(tools.every((tool) => /^[A-Za-z0-9_-]{1,64}$/.test(tool.name))).toBe(true)
  expect(named(tools, "p").inputSchema).toMatchObject({
    properties: { x: { type: ["string", "null"] }, n: { type: "integer", exclusiveMinimum: 1 } },
  })
  expect(warnings).toMatchInlineSnapshot(`
    [
      "TRACE /ok is left out: such requests are not made",
      "POST /same: has no operationId; its method and path are its name",
      "POST /same: its callbacks are not listened to",
      "POST /odd schema: a schema is string, not an object",
      "PUT /odd schema: a schema is a list, not an object",
      "GET /pattern: $ref other.yaml#/x is in another document, which is not read",
      "GET /pattern: the pattern "(?<!a)[" cannot be checked",
      "GET /pattern: the parameter m is left out: its style matrix cannot be written",
      "GET /pattern: a parameter is not an object, and is left out",
      "GET /{lost}: is left out: its path has {lost}, which is no parameter that can be filled",
      "POST /binary: its body is image/png, which cannot be written",
      "POST /binary: is left out: it needs a body of a type that cannot be written",
      "$ref #/paths/~1loop leads in a circle",
      "the path "/loop" is left out: it is not described by an object, or has no /",
      "the path "nothing" is left out: it is not described by an object, or has no /",
      "several operations have the operationId ok; their tools are numbered",
    ]
  `)
})

test("a document that grows without end when written out is cut", async () => {
  const schemas = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [
      `S${i}`,
      {
        type: "object",
        properties: Object.fromEntries(
          ["a", "b", "c"].map((name) => [name, { $ref: `#/components/schemas/S${i + 1}` }]),
        ),
      },
    ]),
  )
  const document = {
    openapi: "3.1.0",
    servers: [{ url: "https://x.example" }],
    components: { schemas },
    paths: {
      "/a": {
        post: { requestBody: { content: { "application/json": { schema: { $ref: "#/components/schemas/S0" } } } } },
      },
    },
  }
  const { tools, warnings } = await openapiTools({ document })
  expect(JSON.stringify(tools[0]?.inputSchema).length).toBeLessThan(200_000)
  expect(warnings.join()).toContain("what goes on is not described")
})

test.each<[OpenapiOptions, RegExp]>([
  [{}, /give document or url/],
  [{ document: "{" }, /neither JSON nor YAML/],
  [{ document: "just text" }, /is not an object/],
  [{ document: { swagger: "2.0" } }, /is Swagger 2.0/],
  [{ document: { openapi: "4.0.0" } }, /is not OpenAPI 3: openapi is "4.0.0"/],
  [{ document: { openapi: "3.1.0", paths: {} } }, /names no server/],
  [{ document: YAML, operations: ["gone"] }, /operations: the document has no operation "gone"/],
  [{ document: YAML, approval: { charg: true } }, /approval: the document has no operation "charg"/],
  [{ document: YAML, reconcile: { charge: { operation: "x", input: (i) => i } } }, /reconcile.operation/],
])("%# is refused", async (options, words) => {
  await expect(openapiTools(options)).rejects.toMatchObject({
    code: "INVALID_ARGS",
    message: expect.stringMatching(words),
  })
})

test("a document is fetched, as JSON or YAML, and its server is beside it", async () => {
  const service = await Service.open((r) => r.writeHead(200).end(YAML.replace(/^servers.*$/m, "")), json({}))
  const { tools } = await openapiTools({
    url: `${service.url}/openapi.yaml`,
    operations: ({ tags, method }) => tags.length === 0 && method === "DELETE",
  })
  expect(tools.map((tool) => tool.name)).toEqual(["dropOrder"])
  await tools[0]?.execute({ order: "1" }, ctx())
  expect(service.seen[1]?.url).toBe("/orders/1")
  await service.close()
  await expect(openapiTools({ url: service.url })).rejects.toMatchObject({ code: "BACKEND_FAILED" })
})
