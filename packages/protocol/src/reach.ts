import { reachOf } from "./ip-address.ts"
import type { Reach } from "./ip-address.ts"

/** Names that are only of this machine or network, whatever a resolver says. */
const LOCAL_SUFFIXES = [".local", ".internal", ".home.arpa", ".onion"]

/** Where a host name leads, as far as that is known before it is resolved. Undefined: a name that has to be resolved. */
export function reachOfHost(host: string): Reach | undefined {
  if (host === "localhost" || host.endsWith(".localhost")) return "loopback"
  if (LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix))) return "private"
  const reach = reachOf(host)
  if (reach !== undefined) return reach
  // A name without a dot is found through the machine's own search list.
  return host.includes(".") ? undefined : "private"
}

/** The host as a resolver or `reachOf` takes it: without brackets and without a dot at its end. */
export function hostOf(url: URL): string {
  return url.hostname
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase()
}
