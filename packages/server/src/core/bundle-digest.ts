import type { Row } from "@rouse/protocol"
import { canonicalJson } from "./canonical.ts"

/** One row as the digest of a bundle's rows has it. */
export function rowLine({ collection, key, value }: Row): string {
  return `${JSON.stringify(collection)} ${JSON.stringify(key)} ${canonicalJson(value)}\n`
}
