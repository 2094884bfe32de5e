import { statusOf } from "@rouse/client"
import { CirclePause, CirclePlay, Ellipsis, Hand, RotateCcw, Square } from "lucide-react"
import { AlertDialog, DropdownMenu } from "radix-ui"
import { useMemo, useState } from "react"
import type { ReactNode } from "react"
import { Button, IconButton } from "../components/button.tsx"
import { MENU, MENU_ITEM } from "../components/menu.ts"
import { useAction } from "../data/action.ts"
import type { AgentState } from "../data/agent.ts"
import { useApp } from "../data/app.tsx"

/** What a person can do to an agent: interrupt its run, hold it, let it go on, end it. */
export function AgentActions({ state }: { readonly state: AgentState }): ReactNode {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [confirming, setConfirming] = useState(false)
  const { url, timeline, phase } = state
  const activity = statusOf(timeline)
  const signal = (name: string): void => void act(() => client.signal(url, name))
  const inRun = timeline.run?.status === "running" || timeline.run?.status === "suspended"
  const dead = useMemo(
    () => timeline.items.some((item) => item.kind === "message" && item.row.status === "dead"),
    [timeline.items],
  )
  if (phase === "loading" || activity.kind === "stopped") return null
  return (
    <>
      {inRun && (
        <Button disabled={busy} onClick={() => signal("interrupt")} title="Abort the run; the agent lives on">
          <Hand className="size-3.5" />
          <span className="max-[420px]:sr-only">Interrupt</span>
        </Button>
      )}
      {dead && !inRun && (
        <Button
          disabled={busy}
          onClick={() => void act(() => client.retry(url), "Its dead messages are accepted again.")}
        >
          <RotateCcw className="size-3.5" />
          Retry
        </Button>
      )}
      {activity.kind === "paused" ? (
        <Button disabled={busy} onClick={() => signal("resume")}>
          <CirclePlay className="size-3.5" />
          Resume
        </Button>
      ) : (
        <IconButton label="Pause" disabled={busy} onClick={() => signal("pause")} className="max-[420px]:hidden">
          <CirclePause className="size-4" />
        </IconButton>
      )}
      <More paused={activity.kind === "paused"} pause={() => signal("pause")} stop={() => setConfirming(true)} />
      <ConfirmStop
        url={url}
        open={confirming}
        onOpenChange={setConfirming}
        stop={() => void act(() => client.delete(url), `${url} is stopped.`)}
      />
    </>
  )
}

function More(props: { readonly paused: boolean; readonly pause: () => void; readonly stop: () => void }): ReactNode {
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
          <DropdownMenu.Item onSelect={props.stop} className={`${MENU_ITEM} text-danger`}>
            <Square className="size-4" />
            Stop for good…
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  )
}

function ConfirmStop(props: {
  readonly url: string
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly stop: () => void
}): ReactNode {
  return (
    <AlertDialog.Root open={props.open} onOpenChange={props.onOpenChange}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fixed inset-0 z-40 animate-fade bg-scrim" />
        <AlertDialog.Content className="fixed top-[20vh] left-1/2 z-50 w-[min(26rem,calc(100vw-2rem))] -translate-x-1/2 animate-fade rounded-xl bg-raised p-5 shadow-pop">
          <AlertDialog.Title className="text-base font-semibold tracking-tight">Stop {props.url}?</AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-ink-2">
            Its run is aborted, waiting messages are cancelled, and it never wakes again. Its log stays readable.
          </AlertDialog.Description>
          <div className="mt-5 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button tone="ghost">Keep it</Button>
            </AlertDialog.Cancel>
            <AlertDialog.Action asChild>
              <Button tone="danger" onClick={props.stop}>
                Stop for good
              </Button>
            </AlertDialog.Action>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  )
}
