import { CirclePause, CirclePlay, Ellipsis, GitFork, Hand, RotateCcw, Square } from "lucide-react"
import { DropdownMenu } from "radix-ui"
import { memo, useState } from "react"
import type { ReactNode } from "react"
import { Button, IconButton } from "../components/button.tsx"
import { Confirm } from "../components/confirm.tsx"
import { MENU, MENU_ITEM } from "../components/menu.ts"
import type { Standing } from "../core/standing.ts"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"

/** What a person can do to an agent: interrupt its run, hold it, let it go on, end it. */
export const AgentActions: (props: Standing & { readonly fork: () => void }) => ReactNode = memo(function AgentActions({
  url,
  loading,
  kind,
  inRun,
  hasDead,
  fork,
}) {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [confirming, setConfirming] = useState(false)
  const signal = (name: string): void => void act(() => client.signal(url, name))
  if (loading || kind === "stopped") return null
  return (
    <>
      {inRun && (
        <Button disabled={busy} onClick={() => signal("interrupt")} title="Abort the run; the agent lives on">
          <Hand className="size-3.5" />
          <span className="max-[420px]:sr-only">Interrupt</span>
        </Button>
      )}
      {hasDead && !inRun && (
        <Button
          disabled={busy}
          onClick={() => void act(() => client.retry(url), "Its dead messages are accepted again.")}
        >
          <RotateCcw className="size-3.5" />
          Retry
        </Button>
      )}
      {kind === "paused" ? (
        <Button disabled={busy} onClick={() => signal("resume")}>
          <CirclePlay className="size-3.5" />
          Resume
        </Button>
      ) : (
        <IconButton label="Pause" disabled={busy} onClick={() => signal("pause")} className="max-[420px]:hidden">
          <CirclePause className="size-4" />
        </IconButton>
      )}
      <More paused={kind === "paused"} pause={() => signal("pause")} fork={fork} stop={() => setConfirming(true)} />
      <Confirm
        open={confirming}
        onOpenChange={setConfirming}
        title={`Stop ${url}?`}
        about="Its run is aborted, waiting messages are cancelled, and it never wakes again. Its log stays readable."
        yes="Stop for good"
        act={() => void act(() => client.delete(url), `${url} is stopped.`)}
      />
    </>
  )
})

function More(props: {
  readonly paused: boolean
  readonly pause: () => void
  readonly fork: () => void
  readonly stop: () => void
}): ReactNode {
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <button
          type="button"
          aria-label="More actions"
          className="control inline-flex aspect-square items-center justify-center rounded-md text-ink-2 hover:bg-hover hover:text-ink"
        >
          <Ellipsis className="size-4" />
        </button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content align="end" sideOffset={6} className={MENU}>
          {!props.paused && (
            <DropdownMenu.Item onSelect={props.pause} className={MENU_ITEM}>
              <CirclePause className="size-4 text-ink-3" />
              Pause
            </DropdownMenu.Item>
          )}
          <DropdownMenu.Item onSelect={props.fork} className={MENU_ITEM}>
            <GitFork className="size-4 text-ink-3" />
            Fork…
          </DropdownMenu.Item>
          <DropdownMenu.Item onSelect={props.stop} className={`${MENU_ITEM} text-danger`}>
            <Square className="size-4" />
            Stop for good…
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}
