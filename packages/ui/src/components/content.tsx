import type { Json } from "@rouse/protocol"
import type { ReactNode } from "react"
import { readable } from "../core/json.ts"
import { JsonView } from "./json-view.tsx"

/** What a message says: its text as text, the rest as a tree. */
export function Content({ value }: { readonly value: Json | undefined }): ReactNode {
  const content = readable(value)
  if (!content) return <span className="text-ink-3">Nothing</span>
  if ("json" in content) return <JsonView value={content.json} />
  return <p className="break-words whitespace-pre-wrap">{content.text}</p>
}
