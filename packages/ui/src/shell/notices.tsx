import { X } from "lucide-react"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"
import { dismiss, notices } from "../data/notices.ts"
import { useStore } from "../data/store.ts"

/** Short words that go away by themselves. */
export function Notices(): ReactNode {
  const shown = useStore(notices)
  return (
    <div
      role="status"
      className="pointer-events-none fixed inset-x-3 bottom-16 z-50 flex flex-col items-center gap-2 sm:right-4 sm:bottom-4 sm:left-auto sm:items-end"
    >
      {shown.map((notice) => (
        <div
          key={notice.id}
          className={cn(
            "pointer-events-auto flex max-w-md items-start gap-2 rounded-lg bg-raised py-2 pr-1.5 pl-3 text-sm shadow-pop animate-rise",
            notice.tone === "danger" ? "text-danger" : "text-ink",
          )}
        >
          <span className="min-w-0 break-words">{notice.text}</span>
          <button
            type="button"
            aria-label="Dismiss"
            onClick={() => dismiss(notice.id)}
            className="rounded p-0.5 text-ink-3 hover:text-ink"
          >
            <X className="size-3.5" />
          </button>
        </div>
      ))}
    </div>
  )
}
