import { type EntityUrl, START } from "@rouse/protocol"
import { type Op, parseJson } from "@rouse/store"
import { bytesPath, recordsPath } from "../core/attachment-path.ts"
import type { AttachmentRecord } from "../core/attachment-record.ts"
import type { Plane } from "../plane.ts"

const PATHS_MAX = 1_000
const RECORD_BYTES_MAX = 1_048_576

/** What takes away all attachments of an entity, in the commit that takes the entity away. */
export async function purgeOps(plane: Plane, url: EntityUrl): Promise<readonly Op[]> {
  const { store, attachments } = plane
  const ops: Op[] = []
  for await (const path of paths(plane, recordsPath(url))) {
    const { chunks } = await store.read(path, START, RECORD_BYTES_MAX)
    const record = parseJson(chunks)[0] as unknown as AttachmentRecord
    ops.push({ op: "deleteStream", path })
    if (record.object !== undefined) ops.push(...attachments.contents.drop(url, record, plane.clock()))
  }
  for await (const path of paths(plane, bytesPath(url, ""))) ops.push({ op: "deleteStream", path })
  return ops
}

async function* paths({ store }: Plane, prefix: string): AsyncGenerator<string> {
  for (let after: string | undefined = ""; after !== undefined;) {
    const page: readonly string[] = await store.streamPaths({ prefix, after, limit: PATHS_MAX })
    yield* page
    after = page.length === PATHS_MAX ? page.at(-1) : undefined
  }
}
