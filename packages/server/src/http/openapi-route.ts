import type { Context } from "hono"

/** The document of one version, made when it is first asked for: most servers never are. */
let made: { readonly version: string; readonly document: Promise<object> } | undefined

/** `GET /v1/openapi.json` */
export async function getDocument(c: Context, version: string): Promise<Response> {
  if (made?.version !== version)
    made = { version, document: import("./openapi.ts").then(({ openapiDocument }) => openapiDocument(version)) }
  return c.json(await made.document)
}
