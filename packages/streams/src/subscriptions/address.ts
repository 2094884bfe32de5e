import { RouseError, hostOf, reachOf } from "@rouse/protocol"
import { isAllowedAddress } from "../core/webhook-url.ts"

/**
 * One address of a webhook's target, when all that its name has may be connected to: a name that leads inside only sometimes is refused always.
 *
 * @param url As `checkWebhookUrl` returned it.
 * @throws {RouseError} `WEBHOOK_URL_REJECTED`; whatever `resolve` throws.
 */
export async function addressOf(
  url: URL,
  allowLoopback: boolean,
  resolve: (host: string) => Promise<readonly string[]>,
): Promise<string> {
  const host = hostOf(url)
  const addresses = reachOf(host) === undefined ? await resolve(host) : [host]
  const [first] = addresses
  if (first !== undefined && addresses.every((address) => isAllowedAddress(address, url, allowLoopback))) return first
  throw new RouseError("WEBHOOK_URL_REJECTED", `webhook.url: ${host} does not lead to a public address`)
}
