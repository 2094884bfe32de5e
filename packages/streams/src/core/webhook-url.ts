import { RouseError, hostOf, reachOf, reachOfHost } from "@rouse/protocol"

/** The longest webhook URL, in characters. */
export const WEBHOOK_URL_LENGTH_MAX = 2_048

/**
 * Checks what can be known of a webhook's target before its name is resolved: `https`, a public host, no password in it.
 *
 * @param allowLoopback Also allows this machine, and `http` to it.
 * @throws {RouseError} `WEBHOOK_URL_REJECTED`.
 */
export function checkWebhookUrl(text: string, allowLoopback: boolean): URL {
  if (text.length > WEBHOOK_URL_LENGTH_MAX)
    throw rejected(`must not be longer than ${WEBHOOK_URL_LENGTH_MAX} characters`)
  const url = parse(text)
  if (url.protocol !== "https:" && url.protocol !== "http:") throw rejected("must use https")
  if (url.username !== "" || url.password !== "") throw rejected("must not have a user or password")
  const reach = reachOfHost(hostOf(url))
  if (reach === "loopback" && allowLoopback) return url
  if (reach === "private" || reach === "loopback") throw rejected("must not lead to this machine or its network")
  if (url.protocol !== "https:") throw rejected("must use https")
  return url
}

/** Whether a resolved address may be connected to. */
export function isAllowedAddress(address: string, url: URL, allowLoopback: boolean): boolean {
  const reach = reachOf(address)
  if (reach === "loopback") return allowLoopback
  return reach === "public" && url.protocol === "https:"
}

function parse(text: string): URL {
  try {
    return new URL(text)
  } catch (cause) {
    throw new RouseError("WEBHOOK_URL_REJECTED", "webhook.url: is not a valid URL", {
      cause,
      details: { field: "webhook.url" },
    })
  }
}

function rejected(rule: string): RouseError {
  return new RouseError("WEBHOOK_URL_REJECTED", `webhook.url: ${rule}`, { details: { field: "webhook.url" } })
}
