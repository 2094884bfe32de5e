import { type HmacScheme, RouseError, type WebhookSourceBody } from "@rouse/protocol"

/**
 * What a webhook's headers claim, by its source's kind. Nothing of it is to be believed before a signature was verified.
 */
export interface Claimed {
  readonly algorithm: "SHA-1" | "SHA-256" | "SHA-512"
  /** Any may hold: a sender that changes its secret signs with both. */
  readonly signatures: readonly Uint8Array<ArrayBuffer>[]
  /** What is signed is the body between these. */
  readonly before: string
  readonly after: string
  /** Seconds since the Unix epoch; undefined when none is signed. */
  readonly sentAt: number | undefined
  /** The sender's id of the delivery, where a header has it. */
  readonly id: string | undefined
  /** What happened, where a header says it. */
  readonly event: string | undefined
}

export interface Headers {
  get(name: string): string | null
}

/** Signatures of one request that are looked at. */
const SIGNATURES_MAX = 8
const ID_LENGTH_MAX = 255
const EVENT_LENGTH_MAX = 255

/**
 * Reads the headers of a webhook.
 *
 * @throws {RouseError} `SIGNATURE_INVALID` naming the header that is missing or not as it should be.
 */
export function claimed(source: WebhookSourceBody, headers: Headers): Claimed {
  switch (source.kind) {
    case "github":
      return {
        ...plain,
        signatures: [decoded(stripped(need(headers, "x-hub-signature-256"), "sha256="), "hex")],
        id: optional(headers, "x-github-delivery", ID_LENGTH_MAX),
        event: optional(headers, "x-github-event", EVENT_LENGTH_MAX),
      }
    case "stripe":
      return stripe(need(headers, "stripe-signature"))
    case "slack": {
      const sentAt = secondsOf(need(headers, "x-slack-request-timestamp"), "x-slack-request-timestamp")
      const signature = decoded(stripped(need(headers, "x-slack-signature"), "v0="), "hex")
      return { ...plain, signatures: [signature], before: `v0:${sentAt}:`, sentAt }
    }
    case "standard":
      return standard(headers)
    case "hmac":
      return generic(source.hmac ?? { header: "x-signature" }, headers)
  }
}

/**
 * Whether a signed time is close enough to now.
 *
 * @throws {RouseError} `SIGNATURE_INVALID`
 */
export function checkAge(sentAt: number | undefined, toleranceSeconds: number, nowMs: number): void {
  if (sentAt === undefined || Math.abs(nowMs / 1_000 - sentAt) <= toleranceSeconds) return
  throw refused(`it was sent more than ${toleranceSeconds} seconds ago, or ahead of this clock`)
}

const plain = {
  algorithm: "SHA-256",
  before: "",
  after: "",
  sentAt: undefined,
  id: undefined,
  event: undefined,
} as const

function stripe(header: string): Claimed {
  const fields = header.split(",").map((field) => field.trim().split("=", 2) as [string, string | undefined])
  const valuesOf = (name: string): string[] =>
    fields.flatMap(([field, value]) => (field === name && value ? [value] : []))
  const [time = ""] = valuesOf("t")
  const sentAt = secondsOf(time, "stripe-signature: t")
  const signatures = valuesOf("v1").slice(0, SIGNATURES_MAX)
  if (signatures.length === 0) throw refused("stripe-signature: has no v1")
  return { ...plain, signatures: signatures.map((text) => decoded(text, "hex")), before: `${sentAt}.`, sentAt }
}

/** @see https://www.standardwebhooks.com */
function standard(headers: Headers): Claimed {
  const id = need(headers, "webhook-id").slice(0, ID_LENGTH_MAX)
  const sentAt = secondsOf(need(headers, "webhook-timestamp"), "webhook-timestamp")
  const signatures = need(headers, "webhook-signature")
    .split(" ")
    .filter((one) => one.startsWith("v1,"))
    .slice(0, SIGNATURES_MAX)
  if (signatures.length === 0) throw refused("webhook-signature: has no v1")
  const bytes = signatures.map((one) => decoded(one.slice("v1,".length), "base64"))
  return { ...plain, signatures: bytes, before: `${id}.${sentAt}.`, sentAt, id }
}

const ALGORITHMS = { sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" } as const

function generic(scheme: HmacScheme, headers: Headers): Claimed {
  const { header, algorithm = "sha256", encoding = "hex", prefix = "", timestampHeader, idHeader, eventHeader } = scheme
  const sentAt = timestampHeader === undefined ? undefined : secondsOf(need(headers, timestampHeader), timestampHeader)
  const signed = scheme.signed ?? (sentAt === undefined ? "{body}" : "{timestamp}.{body}")
  const cut = signed.indexOf("{body}")
  const timed = (text: string): string => text.replaceAll("{timestamp}", String(sentAt))
  return {
    algorithm: ALGORITHMS[algorithm],
    signatures: [decoded(stripped(need(headers, header), prefix), encoding)],
    before: timed(signed.slice(0, cut)),
    after: timed(signed.slice(cut + "{body}".length)),
    sentAt,
    id: idHeader === undefined ? undefined : optional(headers, idHeader, ID_LENGTH_MAX),
    event: eventHeader === undefined ? undefined : optional(headers, eventHeader, EVENT_LENGTH_MAX),
  }
}

function need(headers: Headers, name: string): string {
  const value = headers.get(name)
  if (value === null || value === "") throw refused(`${name}: is missing`)
  return value
}

function optional(headers: Headers, name: string, lengthMax: number): string | undefined {
  return headers.get(name)?.slice(0, lengthMax) || undefined
}

function stripped(value: string, prefix: string): string {
  if (!value.startsWith(prefix)) throw refused(`the signature does not begin with ${prefix}`)
  return value.slice(prefix.length)
}

function secondsOf(text: string, name: string): number {
  if (!/^[0-9]{1,12}$/.test(text)) throw refused(`${name}: is no time in seconds`)
  return Number(text)
}

function decoded(text: string, encoding: "hex" | "base64" | "base64url"): Uint8Array<ArrayBuffer> {
  if (encoding === "hex") {
    if (!/^([0-9a-fA-F]{2}){1,128}$/.test(text)) throw refused("the signature is not hexadecimal")
    return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
  }
  const standardText = encoding === "base64url" ? text.replaceAll("-", "+").replaceAll("_", "/") : text
  if (!/^[A-Za-z0-9+/]{1,172}={0,2}$/.test(standardText)) throw refused("the signature is not base64")
  try {
    return Uint8Array.from(atob(standardText), (character) => character.charCodeAt(0))
  } catch (error) {
    throw new RouseError("SIGNATURE_INVALID", "the signature is not base64", { cause: error })
  }
}

function refused(reason: string): RouseError {
  return new RouseError("SIGNATURE_INVALID", reason)
}
