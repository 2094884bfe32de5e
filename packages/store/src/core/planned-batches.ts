import type { ForkView } from "./fork.ts"
import type { Write } from "./write.ts"
import type { StoreView } from "./view.ts"

/** A view that knows the batches which a commit has planned so far, too. */
export function withPlanned(view: StoreView, writes: readonly Write[]): ForkView {
  return {
    stream: (path) => view.stream(path),
    hasBatchEnd: (stream, position) =>
      writes.some((write) => write.kind === "putChunk" && write.stream === stream && write.tail === position) ||
      view.hasBatchEnd(stream, position),
    batchAfter(stream, position) {
      const kept = view.batchAfter(stream, position)
      if (kept !== undefined) return kept
      for (const write of writes) {
        if (write.kind === "putChunk" && write.stream === stream && write.tail > position) return write.data
      }
      return undefined
    },
  }
}
