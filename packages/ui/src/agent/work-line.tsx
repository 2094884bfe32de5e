import type { ToolWorkRow } from "@rouse/protocol"
import type { ReactNode } from "react"
import { Elapsed } from "../components/times.tsx"

/** Where a call with workers is: who has it, for how long, and how far it says that it is. */
export function WorkLine({ work }: { readonly work: ToolWorkRow }): ReactNode {
  const { progress, worker, status, claimedAt, queue, attempt, error } = work
  const held = status === "claimed"
  const share = progress?.fraction
  return (
    <div className="border-t border-line px-3 py-2 text-xs text-ink-2">
      <p className="flex flex-wrap gap-x-3 gap-y-0.5">
        <span>{held ? `With ${worker ?? "a worker"}` : `Waits for a worker in the queue ${queue}`}</span>
        {held && claimedAt !== undefined && <Elapsed since={claimedAt} />}
        {attempt > 1 && <span className="text-attention">attempt {attempt}</span>}
        {progress?.message !== undefined && <span className="min-w-0 truncate">{progress.message}</span>}
        {error !== undefined && <span className="text-attention">{error}</span>}
      </p>
      {held && share !== undefined && (
        <progress
          aria-label="Progress"
          max={1}
          value={share}
          className="mt-1.5 block h-1 w-full appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-accent"
        />
      )}
    </div>
  )
}
