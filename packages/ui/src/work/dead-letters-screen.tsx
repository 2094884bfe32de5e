import type { DeadLetter } from "@rouse/protocol"
import { ChevronRight, MailX, RotateCcw } from "lucide-react"
import { useCallback, useState } from "react"
import type { ReactNode } from "react"
import { EntityLink } from "../agent/entity-link.tsx"
import { Button } from "../components/button.tsx"
import { cn } from "../components/class-names.ts"
import { Confirm } from "../components/confirm.tsx"
import { Content } from "../components/content.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { StatusGlyph } from "../components/status-glyph.tsx"
import { Ago } from "../components/times.tsx"
import { previewOf } from "../core/json.ts"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"
import { firstOf } from "../data/polled.ts"
import { ListScreen, useListing } from "./list-screen.tsx"

const EVERY_MS = 5_000

/** Messages that were given up, and why: to be taken up again, or to be let go. */
export function DeadLettersScreen(): ReactNode {
  const { client } = useApp()
  const read = useCallback(
    (limit: number, signal: AbortSignal) => firstOf(client.deadLetters({ signal }), limit),
    [client],
  )
  const listing = useListing(read, EVERY_MS)
  return (
    <ListScreen
      title="Dead letters"
      label="Messages that were given up"
      failed="The dead letters could not be read"
      listing={listing}
      empty={
        <EmptyState icon={<MailX className="size-6" />} title="No message was given up">
          One that fails every attempt comes here with the reason, and can be tried again.
        </EmptyState>
      }
      className="flex flex-col"
      keyOf={({ url, message }) => `${url} ${message.id}`}
      row={(letter) => <Letter letter={letter} reload={listing.reload} />}
    />
  )
}

function Letter({ letter, reload }: { readonly letter: DeadLetter; readonly reload: () => void }): ReactNode {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [open, setOpen] = useState(false)
  const [asking, setAsking] = useState(false)
  const { url, status, message } = letter
  const messages = [message.id]
  const settle = (work: () => Promise<number>, done: string): void =>
    void act(async () => {
      await work()
      reload()
    }, done)
  return (
    <li data-row tabIndex={-1} className="border-b border-line py-3 -outline-offset-2">
      <div className="flex min-w-0 flex-wrap items-center gap-x-2 gap-y-2">
        <span className="flex min-w-0 flex-1 basis-64 items-center gap-2">
          <StatusGlyph status={status} />
          <EntityLink url={url} className="min-w-0" />
          <Ago at={message.at} className="shrink-0 text-xs text-ink-3" />
        </span>
        <Button disabled={busy} onClick={() => settle(() => client.retry(url, { messages }), "It is accepted again.")}>
          <RotateCcw className="size-3.5" />
          Retry
        </Button>
        <Button tone="ghost" disabled={busy} onClick={() => setAsking(true)}>
          Discard
        </Button>
      </div>
      <p className="mt-1 break-words text-danger">{message.reason ?? "No reason was recorded."}</p>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="mt-1 flex w-full min-w-0 items-center gap-1 rounded text-left text-ink-2 hover:text-ink"
      >
        <ChevronRight aria-hidden className={cn("size-3 shrink-0 transition-transform", open && "rotate-90")} />
        <span className="truncate">
          {open ? `From ${message.from.kind} ${message.from.id}` : previewOf(message.content, 200)}
        </span>
      </button>
      {open && (
        <div className="mt-2 max-h-96 overflow-auto rounded-lg border border-line bg-sunken p-3">
          <Content value={message.content} />
        </div>
      )}
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title="Discard this message?"
        about={`${url} never answers it. Whoever waits for it is told that it was cancelled.`}
        yes="Discard"
        act={() => settle(() => client.discard(url, { messages }), "It is discarded.")}
      />
    </li>
  )
}
