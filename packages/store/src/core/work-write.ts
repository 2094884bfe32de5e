import type { Draft } from "./draft.ts"
import type { EncodedWork } from "./encoded.ts"

/** What a commit does to what waits outside any process. */
export type WorkWrite =
  | { readonly kind: "putWork"; readonly item: EncodedWork; readonly version: number }
  | { readonly kind: "dropWork"; readonly id: string }

export function planWork(draft: Draft, item: EncodedWork): void {
  const version = draft.view.workVersion(item.id) + 1
  draft.view.setWork(item.id, version)
  draft.write({ kind: "putWork", item, version })
}

export function planWorkDrop(draft: Draft, id: string): void {
  draft.view.setWork(id, 0)
  draft.write({ kind: "dropWork", id })
}
