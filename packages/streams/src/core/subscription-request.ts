import { RouseError } from "@rouse/protocol"
import type { Offset } from "@rouse/protocol"
import { parsePattern, STREAMS_NAMED_MAX } from "@rouse/store"
import { parsePathIn } from "./path.ts"

/** What was asked for when a subscription was made. Stored, and compared when it is asked for again. */
export interface SubscriptionConfig {
  readonly type: "webhook" | "pull-wake"
  readonly pattern: string | null
  /** Sorted, each once. */
  readonly streams: readonly string[]
  readonly webhookUrl: string | null
  readonly wakeStream: string | null
  readonly leaseMs: number
  readonly description: string | null
  /** Of a webhook whose requests the host composes: what it calls them. Never asked for over the protocol. */
  readonly composed?: string
}

/** What a worker or receiver says about a wake. */
export interface WakeReport {
  readonly wakeId: string
  readonly generation: number
  readonly acks: readonly { readonly path: string; readonly offset: Offset }[]
  readonly done: boolean
}

const LEASE_MS_DEFAULT = 30_000
const LEASE_MS_MIN = 1_000
const LEASE_MS_MAX = 600_000
const DESCRIPTION_LENGTH_MAX = 1_024
const WORKER_LENGTH_MAX = 256
/** The longest identifier of a subscription, in characters. */
export const ID_LENGTH_MAX = 256
/** Cursors that one report may move. */
export const ACKS_MAX = 1_000

/** @throws {RouseError} `BAD_REQUEST`, naming the field. */
export function parseSubscription(body: unknown): SubscriptionConfig {
  const fields = objectOf("body", body)
  const type = fields["type"]
  if (type !== "webhook" && type !== "pull-wake") throw invalid("type", 'must be "webhook" or "pull-wake"')
  const pattern = patternOf(fields["pattern"])
  const wakeStream =
    type === "pull-wake" ? parsePathIn("wake_stream", textOf("wake_stream", fields["wake_stream"], Infinity)) : null
  const streams = fields["streams"] === undefined ? [] : parseStreams(fields)
  if (pattern === null && streams.length === 0) throw invalid("streams", "is required when there is no pattern")
  if (wakeStream !== null && streams.includes(wakeStream)) throw invalid("streams", "must not have the wake stream")
  const webhookUrl =
    type === "webhook" ? textOf("webhook.url", objectOf("webhook", fields["webhook"])["url"], Infinity) : null
  return {
    type,
    pattern,
    streams,
    webhookUrl,
    wakeStream,
    leaseMs: leaseOf(fields["lease_ttl_ms"]),
    description: descriptionOf(fields["description"]),
  }
}

/** The `streams` of a body: at least one. @throws {RouseError} `BAD_REQUEST`, naming the field. */
export function parseStreams(body: unknown): readonly string[] {
  const streams = objectOf("body", body)["streams"]
  if (!Array.isArray(streams)) throw invalid("streams", "must be an array of paths")
  if (streams.length > STREAMS_NAMED_MAX) throw invalid("streams", `must not have more than ${STREAMS_NAMED_MAX} paths`)
  const paths = streams.map((path: unknown, index) =>
    parsePathIn(`streams[${index}]`, textOf(`streams[${index}]`, path, Infinity)),
  )
  return [...new Set(paths)].toSorted()
}

/** @throws {RouseError} `BAD_REQUEST`, naming the field. */
export function parseWorker(body: unknown): string {
  return textOf("worker", objectOf("body", body)["worker"], WORKER_LENGTH_MAX)
}

/** @throws {RouseError} `BAD_REQUEST`, naming the field. */
export function parseReport(body: unknown): WakeReport {
  const fields = objectOf("body", body)
  const generation = fields["generation"]
  if (typeof generation !== "number" || !Number.isSafeInteger(generation))
    throw invalid("generation", "must be a whole number")
  const done = fields["done"] ?? false
  if (typeof done !== "boolean") throw invalid("done", "must be true or false")
  return { wakeId: textOf("wake_id", fields["wake_id"], ID_LENGTH_MAX), generation, acks: acksOf(fields["acks"]), done }
}

/** @throws {RouseError} `BAD_REQUEST`. */
export function parseId(id: string): string {
  if (id === "" || id.length > ID_LENGTH_MAX) throw invalid("id", `must have 1 to ${ID_LENGTH_MAX} characters`)
  if (!/^[\x21-\x7e]+$/.test(id) || /[/\\]/.test(id)) throw invalid("id", "must be visible ASCII without slashes")
  if (id === "." || id === "..") throw invalid("id", "must not be dots alone")
  return id
}

function acksOf(value: unknown): WakeReport["acks"] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw invalid("acks", "must be an array")
  if (value.length > ACKS_MAX) throw invalid("acks", `must not have more than ${ACKS_MAX} entries`)
  return value.map((entry: unknown, index) => {
    const field = `acks[${index}]`
    const ack = objectOf(field, entry)
    const path = textOf(`${field}.stream`, ack["stream"] ?? ack["path"], Infinity)
    return {
      path: parsePathIn(`${field}.stream`, path),
      offset: textOf(`${field}.offset`, ack["offset"], ID_LENGTH_MAX) as Offset,
    }
  })
}

function patternOf(value: unknown): string | null {
  if (value === undefined || value === null) return null
  const pattern = textOf("pattern", value, Infinity).replaceAll(/^\/+|\/+$/g, "")
  parsePattern(pattern)
  return pattern
}

function leaseOf(value: unknown): number {
  if (value === undefined) return LEASE_MS_DEFAULT
  if (typeof value === "number" && Number.isInteger(value) && value >= LEASE_MS_MIN && value <= LEASE_MS_MAX)
    return value
  throw invalid("lease_ttl_ms", `must be a whole number from ${LEASE_MS_MIN} to ${LEASE_MS_MAX}`)
}

function descriptionOf(value: unknown): string | null {
  return value === undefined || value === null ? null : textOf("description", value, DESCRIPTION_LENGTH_MAX)
}

function objectOf(field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw invalid(field, "must be a JSON object")
}

function textOf(field: string, value: unknown, lengthMax: number): string {
  if (typeof value !== "string" || value === "") throw invalid(field, "must be a text that is not empty")
  if (value.length > lengthMax) throw invalid(field, `must not be longer than ${lengthMax} characters`)
  return value
}

function invalid(field: string, rule: string): RouseError {
  return new RouseError("BAD_REQUEST", `${field}: ${rule}`, { details: { field } })
}
