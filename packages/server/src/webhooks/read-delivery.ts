import { type Json, type JsonObject, valueAt, type WebhookDelivery, type WebhookSource } from "@rouse/protocol"
import { isoTime } from "../core/control.ts"
import type { Claimed } from "../core/webhook-signature.ts"
import { decodeText, parseText } from "../http/body.ts"

/** Where the body of each kind names the delivery and says what happened. */
const IN_BODY: Readonly<
  Record<WebhookSource["kind"], { readonly id: readonly string[]; readonly event: readonly string[] }>
> = {
  github: { id: [], event: [] },
  stripe: { id: ["id"], event: ["type"] },
  slack: { id: ["event_id", "trigger_id"], event: ["event.type", "type", "command"] },
  standard: { id: [], event: ["type"] },
  hmac: { id: [], event: [] },
}

/**
 * What a verified request says. The body is JSON, a form (whose `payload`, when it is JSON, is the body: GitHub and Slack send such), or text.
 *
 * @throws {RouseError} `BAD_JSON` for one that says it is JSON and is not.
 */
export async function readDelivery(
  source: WebhookSource,
  claim: Claimed,
  contentType: string,
  bytes: Uint8Array,
  nowMs: number,
): Promise<WebhookDelivery> {
  const body = bodyOf(contentType, decodeText(bytes))
  const paths = IN_BODY[source.kind]
  return {
    source: source.name,
    delivery: claim.id ?? textAt(body, paths.id) ?? (await digestOf(claim, bytes)),
    event: claim.event ?? textAt(body, paths.event) ?? "",
    at: isoTime(nowMs),
    body,
  }
}

function bodyOf(contentType: string, text: string): Json {
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase()
  if (type === "application/x-www-form-urlencoded") return formOf(text)
  if (type.startsWith("text/")) return text
  return text === "" ? {} : (parseText(text) as Json)
}

function formOf(text: string): Json {
  const fields: JsonObject = Object.fromEntries(new URLSearchParams(text))
  const payload = fields["payload"]
  return typeof payload === "string" && payload.startsWith("{") ? (parseText(payload) as Json) : fields
}

function textAt(body: Json, paths: readonly string[]): string | undefined {
  const found = paths.map((path) => valueAt(body, path)).find((value) => typeof value === "string" && value !== "")
  return typeof found === "string" ? found.slice(0, 255) : undefined
}

async function digestOf({ before, after }: Claimed, bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]))
  return Buffer.from(digest).toString("hex")
}
