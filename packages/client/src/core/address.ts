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
  // Taken apart by hand: the URL of some runtimes is a stub.
  const [, scheme = "", host = "", path = ""] = BASE.exec(url) ?? []
  if (host === "") throw new RouseError("BAD_REQUEST", `url: "${url}" is not like http://127.0.0.1:4437`)
  return `${scheme.toLowerCase()}//${host.toLowerCase()}${path}`.replace(/\/+$/, "")
}

const BASE = /^(https?:)\/\/(?:[^\s/?#@]*@)?([^\s/?#@]+)(\/[^\s?#]*)?/i

/** A query string with its question mark; empty when nothing is set. */
export function queryString(query: object): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined)
  const pairs = set.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`)
  return set.length === 0 ? "" : `?${pairs.join("&")}`
}

function checkAddress(url: string): void {
  if (!parseEntityUrl(url)) throw new RouseError("BAD_REQUEST", `url: "${url}" is not like /type/id`)
}
