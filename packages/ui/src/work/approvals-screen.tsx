import type { WaitingApproval } from "@rouse/protocol"
import { useNavigate, useSearch } from "@tanstack/react-router"
import { Stamp } from "lucide-react"
import { useCallback } from "react"
import type { ReactNode } from "react"
import { ApprovalForm } from "../agent/approval-form.tsx"
import { BudgetCards } from "../agent/budget-card.tsx"
import { EntityLink } from "../agent/entity-link.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Select } from "../components/field.tsx"
import { JsonView } from "../components/json-view.tsx"
import { Screen, Told } from "../components/screen.tsx"
import { Ago } from "../components/times.tsx"
import { useApp, useTypes } from "../data/app.tsx"
import { firstOf, usePolled } from "../data/polled.ts"
import { useRowKeys } from "../shell/row-keys.ts"

const SHOWN_MAX = 100
const EVERY_MS = 3_000

/** Everything that waits for a person, what has waited longest first, to be decided where it stands. */
export function ApprovalsScreen(): ReactNode {
  const { client } = useApp()
  const { type } = useSearch({ from: "/approvals" })
  const load = useCallback(
    (signal: AbortSignal) => firstOf(client.approvals(type === undefined ? {} : { type }, { signal }), SHOWN_MAX),
    [client, type],
  )
  const waiting = usePolled(load, EVERY_MS)
  useRowKeys()
  return (
    <Screen
      title="Approvals"
      count={waiting.value && `${waiting.value.items.length}${waiting.value.more ? "+" : ""}`}
      actions={<TypeFilter type={type} />}
    >
      <Told of={waiting} failed="The approvals could not be read">
        {({ items, more }) => (
          <>
            {items.length === 0 && <Nothing filtered={type !== undefined} />}
            <ul aria-label="Approvals that wait" className="flex flex-col gap-3 pt-4">
              {items.map((item) => (
                <li key={`${item.entity} ${item.approval.call}`}>
                  <Waiting item={item} />
                </li>
              ))}
            </ul>
            {more && <p className="pt-3 text-ink-3">There are more. Decide some of these, and they come up.</p>}
          </>
        )}
      </Told>
    </Screen>
  )
}

function Waiting({ item: { entity, approval } }: { readonly item: WaitingApproval }): ReactNode {
  const { call, tool, input, at, kind } = approval
  return (
    <article
      data-row={`${entity} ${call}`}
      tabIndex={0}
      aria-label={`${kind === "question" ? "A question" : tool} of ${entity}`}
      className="overflow-hidden rounded-lg border border-attention-line -outline-offset-2"
    >
      <header className="flex min-w-0 items-center gap-2 px-3 py-2">
        <EntityLink url={entity} className="min-w-0" />
        {kind === undefined && <code className="shrink-0 font-mono text-xs font-medium">{tool}</code>}
        <span className="ml-auto shrink-0 text-xs text-ink-3">
          <Ago at={at} words />
        </span>
      </header>
      {kind === "budget" ? (
        <div className="-mb-4 px-3 pb-3">
          <BudgetCards approvals={{ [call]: approval }} url={entity} />
        </div>
      ) : (
        <>
          {kind === undefined && (
            <div className="max-h-72 overflow-auto px-3 pb-2.5">
              <JsonView value={input} depthOpen={2} />
            </div>
          )}
          <ApprovalForm url={entity} call={call} question={`May ${tool} run?`} approval={approval} />
        </>
      )}
    </article>
  )
}

function TypeFilter({ type }: { readonly type: string | undefined }): ReactNode {
  const navigate = useNavigate({ from: "/approvals" })
  const types = useTypes() ?? []
  return (
    <Select
      aria-label="Type"
      value={type ?? ""}
      onChange={({ target }) =>
        void navigate({ search: target.value ? { type: target.value } : {}, replace: true }).catch(console.error)
      }
    >
      <option value="">Any type</option>
      {types.map(({ name }) => (
        <option key={name}>{name}</option>
      ))}
    </Select>
  )
}

function Nothing({ filtered }: { readonly filtered: boolean }): ReactNode {
  return (
    <EmptyState icon={<Stamp className="size-6" />} title={filtered ? "None of that type" : "Nobody waits for you"}>
      {filtered
        ? "Agents of other types may wait for someone."
        : "When a tool needs a yes, an agent asks something or a budget is used up, it is here to be decided."}
    </EmptyState>
  )
}
