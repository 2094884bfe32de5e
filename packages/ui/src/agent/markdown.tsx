import { lazy, Suspense } from "react"
import type { ReactNode } from "react"

/** Loaded when the first text is shown: the first view does without it. */
const RichText = lazy(() => import("./rich-text.tsx"))

/** What an agent wrote, as text until the renderer is there. */
export function Markdown({ text, streaming }: { readonly text: string; readonly streaming: boolean }): ReactNode {
  return (
    <Suspense fallback={<p className="prose whitespace-pre-wrap">{text}</p>}>
      <RichText text={text} streaming={streaming} />
    </Suspense>
  )
}
