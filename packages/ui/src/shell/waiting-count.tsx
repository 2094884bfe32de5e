import { useCallback } from "react"
import type { ReactNode } from "react"
import { useApp } from "../data/app.tsx"
import { firstOf, usePolled } from "../data/polled.ts"

const COUNTED_MAX = 99
const EVERY_MS = 10_000

/** How many approvals wait, beside the way to them. */
export function WaitingCount(): ReactNode {
  const { client } = useApp()
  const load = useCallback(
    async (signal: AbortSignal) => (await firstOf(client.approvals({}, { signal }), COUNTED_MAX)).items.length,
    [client],
  )
  const { value = 0 } = usePolled(load, EVERY_MS)
  if (value === 0) return null
  return (
    <span className="inline-flex h-4 min-w-4 items-center justify-center rounded-full bg-attention px-1 text-2xs font-semibold text-canvas">
      {value}
      <span className="sr-only"> wait</span>
    </span>
  )
}
