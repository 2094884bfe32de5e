import type { EncodedWork } from "./encoded.ts"

/** What a commit does to what waits outside any process. */
export type WorkWrite =
  | { readonly kind: "putWork"; readonly item: EncodedWork; readonly version: number }
  | { readonly kind: "dropWork"; readonly id: string }
