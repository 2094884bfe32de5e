import { parseEntityUrl } from "@rouse/protocol"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { cn } from "../components/class-names.ts"

/** The address of an agent, as a link to it. */
export function EntityLink({ url, className }: { readonly url: string; readonly className?: string }): ReactNode {
  const address = parseEntityUrl(url)
  if (!address) return <span className={className}>{url}</span>
  return (
    <Link
      to="/agents/$type/$id"
      params={address}
      className={cn(
        "truncate rounded-sm text-ink-2 underline decoration-line-strong underline-offset-3 hover:text-ink hover:decoration-current",
        className,
      )}
    >
      {url}
    </Link>
  )
}
