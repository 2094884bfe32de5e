import { RouseError } from "@rouse/protocol"
import type { Store } from "@rouse/store"
import { DEFAULT_MEDIA_TYPE } from "../core/media-type.ts"

/**
 * The content type that a fork gets when the request names none: its source's. When that is no more, the fork's own, should it have been made
 * before. The commit checks it against the source, so a source that is replaced meanwhile does no harm.
 */
export async function inheritedType(store: Store, source: string, fork: string): Promise<string> {
  return (await typeOf(store, source)) ?? (await typeOf(store, fork)) ?? DEFAULT_MEDIA_TYPE
}

async function typeOf(store: Store, path: string): Promise<string | undefined> {
  try {
    return (await store.stream(path))?.contentType
  } catch (error) {
    if (RouseError.is(error, "GONE")) return undefined
    throw error
  }
}
