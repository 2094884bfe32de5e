import type { ScheduleEntry } from "@rouse/protocol"
import { useSearch } from "@tanstack/react-router"
import { CalendarClock, Plus, Trash2 } from "lucide-react"
import { useCallback, useState } from "react"
import type { ReactNode } from "react"
import { EntityLink } from "../agent/entity-link.tsx"
import { Button, IconButton } from "../components/button.tsx"
import { Confirm } from "../components/confirm.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Ago, Until } from "../components/times.tsx"
import { previewOf } from "../core/json.ts"
import { ruleText } from "../core/rule-text.ts"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"
import { ListScreen, TypeFilter, useListing } from "./list-screen.tsx"
import type { Listed } from "./list-screen.tsx"
import { ScheduleDialog } from "./schedule-dialog.tsx"

const EVERY_MS = 5_000

/** What is to happen later, what comes first before others. */
export function SchedulesScreen(): ReactNode {
  const { client } = useApp()
  const { type } = useSearch({ from: "/schedules" })
  const [making, setMaking] = useState(false)
  const read = useCallback(
    async (limit: number, signal: AbortSignal): Promise<Listed<ScheduleEntry>> => {
      const page = await client.allSchedules({ limit, ...(type !== undefined && { type }) }, { signal })
      return { items: page.schedules, more: page.next !== undefined }
    },
    [client, type],
  )
  const listing = useListing(read, EVERY_MS)
  return (
    <ListScreen
      title="Schedules"
      label="Schedules"
      failed="The schedules could not be read"
      listing={listing}
      actions={
        <>
          <TypeFilter />
          <Button onClick={() => setMaking(true)}>
            <Plus className="size-3.5" />
            New schedule
          </Button>
        </>
      }
      empty={
        <EmptyState icon={<CalendarClock className="size-6" />} title="Nothing is planned">
          A schedule sends an agent a message by the calendar, at an interval, or once. Agents make their own too.
        </EmptyState>
      }
      keyOf={(entry) => `${entry.url} ${entry.name}`}
      row={(entry) => <Row entry={entry} reload={listing.reload} />}
    >
      {making && <ScheduleDialog close={() => setMaking(false)} made={listing.reload} />}
    </ListScreen>
  )
}

function Row({ entry, reload }: { readonly entry: ScheduleEntry; readonly reload: () => void }): ReactNode {
  const { client } = useApp()
  const { busy, act } = useAction()
  const [asking, setAsking] = useState(false)
  const { url, name, dueAt, rule, content, to, firedAt } = entry
  const remove = (): void =>
    void act(async () => {
      await client.unschedule(url, name)
      reload()
    }, `${name} is removed.`)
  return (
    <li
      data-row
      tabIndex={-1}
      className="grid grid-cols-[4.5rem_minmax(0,1fr)_auto] items-start gap-x-3 border-b border-line py-2.5 -outline-offset-2"
    >
      <Until at={dueAt} className="pt-0.5 font-medium" />
      <div className="min-w-0">
        <p className="flex min-w-0 flex-wrap items-baseline gap-x-2">
          <EntityLink url={url} className="max-w-full" />
          {rule !== undefined && <span className="max-w-full truncate font-medium">{name}</span>}
          <span className="font-mono text-xs text-ink-2">{ruleText(rule)}</span>
        </p>
        <p className="truncate text-ink-2">
          {to !== url && <span>to {to}: </span>}
          {previewOf(content, 200)}
        </p>
        {firedAt !== undefined && (
          <p className="text-xs text-ink-3">
            last <Ago at={firedAt} words />
          </p>
        )}
      </div>
      <IconButton label={`Remove ${name}`} disabled={busy} onClick={() => setAsking(true)}>
        <Trash2 className="size-4" />
      </IconButton>
      <Confirm
        open={asking}
        onOpenChange={setAsking}
        title={rule === undefined ? "Do not send this message?" : `Remove the schedule ${name}?`}
        about={`${url} is not roused by it any more.`}
        yes="Remove"
        act={remove}
      />
    </li>
  )
}
