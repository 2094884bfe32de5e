import { RouseError, hostOf, reachOfHost } from "@rouse/protocol"

/** One request of a tool. Redirects are not followed. */
export interface OutboundRequest {
  readonly url: URL
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal
  /** Whether it may go to this machine and its network, also by plain `http`. */
  readonly isPrivateAllowed: boolean
}

/**
 * Sends one request. Where names are resolved by the host itself, it connects to no private address unless that is allowed.
 *
 * @throws {RouseError} `ADDRESS_REFUSED`; else whatever the runtime's `fetch` throws.
 */
export type OutboundFetch = (request: OutboundRequest) => Promise<Response>

/**
 * Refuses what can be refused before a name is resolved: other schemes, passwords in the URL, and, unless allowed, plain `http` and private
 * addresses.
 *
 * @throws {RouseError} `ADDRESS_REFUSED`.
 */
export function reachable(url: URL, isPrivateAllowed: boolean): URL {
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refused(url, "is not http or https")
  if (url.username !== "" || url.password !== "") throw refused(url, "has a user or password in it")
  if (isPrivateAllowed) return url
  const reach = reachOfHost(hostOf(url))
  if (reach === "loopback" || reach === "private") throw refused(url, "is this machine or its network")
  if (url.protocol !== "https:") throw refused(url, "is not https")
  return url
}

/** The runtime's own `fetch`. */
export const runtimeFetch: OutboundFetch = async ({ url, method, headers, body, signal, isPrivateAllowed }) => {
  reachable(url, isPrivateAllowed)
  return await fetch(url, { method, headers, signal, redirect: "manual", ...(body === undefined ? {} : { body }) })
}

function refused(url: URL, rule: string): RouseError {
  return new RouseError("ADDRESS_REFUSED", `${url.origin} ${rule}: a tool must say \`private: true\` to call it`, {
    details: { origin: url.origin },
  })
}
