import { createHandler } from "@rouse/agents"
import { parcels } from "./agents.ts"

/** What a function behind an HTTP gateway is given and answers, as far as this one needs it: payload format 2.0. */
interface HttpEvent {
  readonly rawPath: string
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly requestContext: { readonly http: { readonly method: string } }
  readonly body?: string
  readonly isBase64Encoded: boolean
}

interface HttpResult {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface LambdaContext {
  getRemainingTimeInMillis(): number
}

/** Time that is left for the last commit of a slice. */
const RESERVE_MS = 2_000

const agents = createHandler({ entities: [parcels], version: "v1" })

/** Before its time is over, the wake goes on in the next invocation. */
export async function handler(event: HttpEvent, context: LambdaContext): Promise<HttpResult> {
  const deadlineAtMs = Date.now() + context.getRemainingTimeInMillis() - RESERVE_MS
  const response = await agents(requestOf(event), { deadlineAtMs })
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  }
}

function requestOf({ rawPath, headers, requestContext, body = "", isBase64Encoded }: HttpEvent): Request {
  const { method } = requestContext.http
  const known = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return new Request(`https://${headers["host"] ?? "lambda"}${rawPath}`, {
    method,
    headers: known,
    ...(method === "GET" || method === "HEAD" ? {} : { body: isBase64Encoded ? Buffer.from(body, "base64") : body }),
  })
}
