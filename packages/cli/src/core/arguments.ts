import { isEntityId, isEntityType, parseEntityUrl } from "@rouse/protocol"
import type { Budget, BudgetExtension, EntityUrl, Json, JsonObject } from "@rouse/protocol"
import { usage } from "./failure.ts"

/** Checks of what was typed. Each error names the argument and the rule. */

const PORT_MAX = 65_535
const SHOWN_MAX = 40

/**
 * The address of an agent: `/type/id`, or `type/id`.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseAddress(text: string): { readonly url: EntityUrl; readonly type: string; readonly id: string } {
  const url = text.startsWith("/") ? text : `/${text}`
  const parsed = parseEntityUrl(url)
  if (parsed === undefined) throw usage(`${show(text)} is not an address: write /type/id, like /assistant/one`)
  return { url, ...parsed }
}

/**
 * What to spawn: a type, or the whole address. Without an id, one is made.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseSpawnTarget(text: string): { readonly type: string; readonly id?: string } {
  const bare = text.startsWith("/") ? text.slice(1) : text
  const [type = "", id, ...rest] = bare.split("/")
  if (!isEntityType(type) || rest.length > 0 || (id !== undefined && !isEntityId(id))) {
    throw usage(`${show(text)} is neither a type nor an address: write a type, like assistant, or /type/id`)
  }
  return id === undefined ? { type } : { type, id }
}

/**
 * A JSON object given to `flag`.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseJsonObject(flag: string, text: string): JsonObject {
  const value = parseJson(flag, text)
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usage(`${flag} must be a JSON object, like '{"name":"Ada"}', not ${show(text)}`)
  }
  return value as JsonObject
}

/**
 * Any JSON given to `flag`.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseJson(flag: string, text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    throw usage(`${flag} is not JSON (${(error as SyntaxError).message}): quote it, like ${flag} '{"name":"Ada"}'`)
  }
}

/**
 * Adds one `name=value` to tags: a commander collector.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function collectTag(text: string, before: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const at = text.indexOf("=")
  if (at < 1) throw usage(`--tag must be name=value, not ${show(text)}`)
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

/**
 * A whole number in a range, given to `flag`.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseWhole(flag: string, text: string, min: number, max: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(value >= min && value <= max)) {
    throw usage(`${flag} must be a whole number from ${min} to ${max}, not ${show(text)}`)
  }
  return value
}

/** A port; 0 asks for any free one. */
export function parsePort(text: string): number {
  return parseWhole("--port", text, 0, PORT_MAX)
}

/**
 * A server's address from the environment or a flag.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseServerUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw usage(
      `the server (--url or ROUSE_URL) must be an http(s) address, like http://127.0.0.1:4437, not ${show(text)}`,
    )
  }
  return url.href.replace(/\/+$/, "")
}

/**
 * Where others find this server: an origin alone.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parsePublicUrl(text: string): string {
  return originOf("--public-url", text)
}

/** Adds an origin that pages may come from, or `*`: a commander collector. @throws {RouseError} `BAD_REQUEST` */
export function collectOrigin(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text === "*" ? text : originOf("--cors-origin", text)]
}

function originOf(flag: string, text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.href !== `${url.origin}/`)
    throw usage(`${flag} must be an http(s) address without a path, like https://rouse.example.com, not ${show(text)}`)
  return url.origin
}

/** Whether only this machine can reach what listens on `host`. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host)
}

function show(text: string): string {
  return JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text)
}

const RESOURCES = ["usd", "tokens", "steps", "toolCalls", "wallMs"] as const
const BOUNDS = [...RESOURCES, "children", "depth", "wakesPerMinute", "warnAt"] as const

/**
 * Adds `name=number`, or several with commas, to a budget: a commander collector.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function collectBudget(text: string, before: Budget = {}): Budget {
  return { ...before, ...amounts("--budget", text, BOUNDS) }
}

/** The same for what is added to a budget. @throws {RouseError} `BAD_REQUEST` */
export function collectExtension(text: string, before: BudgetExtension = {}): BudgetExtension {
  return { ...before, ...amounts("--extend", text, RESOURCES) }
}

function amounts(flag: string, text: string, names: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [name = "", value = ""] = part.split("=")
      const amount = value.trim() === "" ? Number.NaN : Number(value)
      if (!names.includes(name) || !Number.isFinite(amount) || amount < 0)
        throw usage(`${flag} must be like usd=2 or steps=10,tokens=50000 (${names.join(", ")}), not ${show(part)}`)
      return [name, amount]
    }),
  )
}

const AGO = /^(\d+)([mhd])$/
const AGO_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A time: ISO 8601, or how long ago, like `12h`.
 *
 * @returns ISO 8601, UTC.
 * @throws {RouseError} `BAD_REQUEST`
 */
export function parseTime(flag: string, text: string, nowMs: number): string {
  const ago = AGO.exec(text)
  const ms = ago ? nowMs - Number(ago[1]) * (AGO_MS[ago[2] ?? ""] ?? 0) : Date.parse(text)
  if (Number.isNaN(ms))
    throw usage(`${flag} must be a time, like 2026-01-31T12:00:00Z, or 90m, 12h, 7d; not ${show(text)}`)
  return new Date(ms).toISOString()
}
