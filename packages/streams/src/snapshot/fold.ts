import type { Offset } from "@rouse/protocol"
import type { ReadResult, Store } from "@rouse/store"
import type { Clock } from "../clock.ts"
import type { LiveRows } from "../core/live-rows.ts"

/** Bytes folded before others get their turn. */
const FOLD_BYTES = 1024 * 1024

/** Applies a stream's batches from an offset to another, or until so many bytes. Others have their turn in between. */
export async function fold(
  store: Store,
  clock: Clock,
  rows: LiveRows,
  path: string,
  range: { readonly from: Offset; readonly to: Offset; readonly bytesMax?: number },
): Promise<{ readonly result: ReadResult; readonly bytes: number }> {
  const { from, to, bytesMax = Infinity } = range
  let result = await store.read(path, from, Math.min(FOLD_BYTES, bytesMax))
  let bytes = 0
  for (;;) {
    for (const chunk of result.chunks) {
      rows.apply(chunk)
      bytes += chunk.length
    }
    if (result.upToDate || result.next >= to || bytes >= bytesMax) return { result, bytes }
    await new Promise<void>((resolve) => clock.after(0, resolve))
    result = await store.read(path, result.next, Math.min(FOLD_BYTES, bytesMax - bytes))
  }
}
