import { entityStreamPath, entityUrl, isEntityType, parseEntityUrl, RouseError } from "@rouse/protocol"

/**
 * The API's path of an entity, or of something below it.
 *
 * @throws {RouseError} `BAD_REQUEST` when `url` is not an address.
 */
export function entityPath(url: string, ...below: readonly string[]): string {
  checkAddress(url)
  return ["/v1/entities" + url, ...below.map(encodeURIComponent)].join("/")
}

/** The path of an entity's log. */
export function logPath(url: string): string {
  checkAddress(url)
  return `/v1/stream/${entityStreamPath(url)}`
}

/** The address to spawn at: the target itself, or one of that type with an id of `id`'s. */
export function spawnAddress(target: string, id: () => string): string {
  if (target.startsWith("/")) return target
  if (!isEntityType(target)) throw new RouseError("BAD_REQUEST", `type: "${target}" is not the name of a type`)
  return entityUrl(target, id())
}

/** Checks and normalises the server's base. */
export function baseUrl(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") {
    throw new RouseError("BAD_REQUEST", `url: "${url}" is not like http://127.0.0.1:4437`)
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, "")
}

/** A query string with its question mark; empty when nothing is set. */
export function queryString(query: object): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined)
  const params = new URLSearchParams(set.map(([name, value]) => [name, String(value)]))
  return set.length === 0 ? "" : `?${params}`
}

function checkAddress(url: string): void {
  if (!parseEntityUrl(url)) throw new RouseError("BAD_REQUEST", `url: "${url}" is not like /type/id`)
}
