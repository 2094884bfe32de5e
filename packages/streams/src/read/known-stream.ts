import { RouseError } from "@rouse/protocol"
import type { Store, StreamInfo } from "@rouse/store"

/** A stream's metadata. @throws {RouseError} `UNKNOWN_STREAM`. */
export async function knownStream(store: Store, path: string): Promise<StreamInfo> {
  const info = await store.stream(path)
  if (info === undefined) throw new RouseError("UNKNOWN_STREAM", `there is no stream at ${path}`)
  return info
}
