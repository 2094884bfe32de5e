import { CloudOff, RefreshCw } from "lucide-react"
import type { ReactNode } from "react"
import { useApp } from "../data/app.tsx"
import { useStore } from "../data/store.ts"

/** Says, above everything, that what is shown may be old. Silent while all is well. */
export function ConnectionBanner(): ReactNode {
  const connection = useStore(useApp().connection)
  const text = TEXTS[connection as keyof typeof TEXTS]
  return (
    <div role="status" className="sm:col-span-2">
      {text && (
        <p className="flex items-center justify-center gap-2 border-b border-attention-line bg-attention-soft px-4 py-1.5 text-xs font-medium text-attention">
          {connection === "offline" ? (
            <CloudOff className="size-3.5" />
          ) : (
            <RefreshCw className="size-3.5 motion-safe:animate-spin" />
          )}
          {text}
        </p>
      )}
    </div>
  )
}

const TEXTS = {
  offline: "You are offline. What you see is what was last known.",
  reconnecting: "The server does not answer. Trying again; nothing that was accepted is lost.",
} as const
