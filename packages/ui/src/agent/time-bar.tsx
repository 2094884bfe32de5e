import { useNavigate } from "@tanstack/react-router"
import { ChevronLeft, ChevronRight, GitFork } from "lucide-react"
import { useCallback, useMemo } from "react"
import type { ReactNode } from "react"
import { Button, IconButton } from "../components/button.tsx"
import { Ago } from "../components/times.tsx"
import { summaryOf } from "../core/event-summary.ts"
import { momentAt, momentsOf, timeOfEvent } from "../core/log-entries.ts"
import { grouped } from "../core/number.ts"
import { without } from "../core/without.ts"
import { sentenceOf } from "../core/errors.ts"
import type { AgentState } from "../data/agent.ts"
import type { PastState } from "../data/past.ts"
import { useShortcuts } from "../shell/shortcuts.ts"

/** Where in the agent's time the page is: a slider over its log, and what was written there. */
export function TimeBar(props: {
  readonly state: AgentState
  readonly at: string
  readonly seen: PastState
  readonly fork: () => void
  readonly loadEarlier: () => Promise<void>
}): ReactNode {
  const { state, at, seen, loadEarlier } = props
  const moments = useMemo(() => momentsOf(state.log), [state.log])
  const index = momentAt(moments, at)
  const moment = moments[index]
  const go = useGoTo()
  const step = (by: number): void => {
    const next = moments[Math.min(moments.length - 1, Math.max(0, index + by))]
    if (next) go(next.offset)
  }
  useShortcuts({ "[": () => step(-1), "]": () => step(1), "{": () => step(-10), "}": () => step(10) })
  const time = moment && timeOfEvent(moment.entry.event)
  return (
    <section
      aria-label="Time"
      aria-busy={seen.past?.offset !== at && seen.error === undefined}
      className="shrink-0 border-b border-attention-line bg-attention-soft px-3 py-2 text-attention sm:px-4"
    >
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <IconButton label="The moment before" keys={["["]} disabled={index <= 0} onClick={() => step(-1)}>
          <ChevronLeft className="size-4" />
        </IconButton>
        <input
          type="range"
          aria-label="Moment"
          aria-valuetext={
            moment ? `${index + 1} of ${moments.length}, ${moment.entry.event.type}` : "before what is loaded"
          }
          min={0}
          max={Math.max(0, moments.length - 1)}
          value={Math.max(0, index)}
          onChange={({ target }) => {
            const chosen = moments[Number(target.value)]
            if (chosen) go(chosen.offset)
          }}
          className="h-6 min-w-24 flex-1 accent-attention"
        />
        <IconButton label="The next moment" keys={["]"]} disabled={index >= moments.length - 1} onClick={() => step(1)}>
          <ChevronRight className="size-4" />
        </IconButton>
        <Button onClick={props.fork} className="max-sm:hidden">
          <GitFork className="size-3.5" />
          Fork from here
        </Button>
        <Button tone="solid" onClick={() => go(undefined)}>
          Now
        </Button>
      </div>
      <p role="status" className="flex h-5 min-w-0 items-center gap-2 text-xs">
        <span className="shrink-0 font-medium">
          {grouped(index + 1)} of {grouped(moments.length)}
        </span>
        {time !== undefined && <Ago at={time} words className="shrink-0" />}
        <span className="min-w-0 truncate">
          {seen.error === undefined
            ? moment && `${moment.entry.event.type} ${summaryOf(moment.entry.event, 120)}`
            : `It could not be read. ${sentenceOf(seen.error)}`}
        </span>
        {state.before !== undefined && (
          <button
            type="button"
            className="ml-auto shrink-0 rounded underline underline-offset-2"
            onClick={() => void loadEarlier().catch(console.error)}
          >
            Load earlier
          </button>
        )}
      </p>
    </section>
  )
}

/** Goes to an offset of the agent that is open; to now without one. */
export function useGoTo(): (at: string | undefined) => void {
  const navigate = useNavigate()
  return useCallback(
    (at) =>
      void navigate({
        to: ".",
        search: (before: { readonly at?: string }) => (at === undefined ? without(before, "at") : { ...before, at }),
        replace: true,
      }).catch(console.error),
    [navigate],
  )
}
