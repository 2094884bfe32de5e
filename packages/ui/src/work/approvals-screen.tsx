import type { WaitingApproval } from "@rouse/protocol"
import { useSearch } from "@tanstack/react-router"
import { Stamp } from "lucide-react"
import { useCallback } from "react"
import type { ReactNode } from "react"
import { ApprovalForm } from "../agent/approval-form.tsx"
import { BudgetCards } from "../agent/budget-card.tsx"
import { EntityLink } from "../agent/entity-link.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { JsonView } from "../components/json-view.tsx"
import { Ago } from "../components/times.tsx"
import { useApp } from "../data/app.tsx"
import { firstOf } from "../data/polled.ts"
import { ListScreen, TypeFilter, useListing } from "./list-screen.tsx"

const EVERY_MS = 3_000

/** Everything that waits for a person, what has waited longest first, to be decided where it stands. */
export function ApprovalsScreen(): ReactNode {
  const { client } = useApp()
  const { type } = useSearch({ from: "/approvals" })
  const read = useCallback(
    (limit: number, signal: AbortSignal) =>
      firstOf(client.approvals(type === undefined ? {} : { type }, { signal }), limit),
    [client, type],
  )
  return (
    <ListScreen
      title="Approvals"
      label="Approvals that wait"
      failed="The approvals could not be read"
      listing={useListing(read, EVERY_MS)}
      actions={<TypeFilter />}
      empty={<Nothing filtered={type !== undefined} />}
      className="flex flex-col gap-3 pt-4"
      keyOf={(item) => `${item.entity} ${item.approval.call}`}
      row={(item) => (
        <li>
          <Waiting item={item} />
        </li>
      )}
    />
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

function Nothing({ filtered }: { readonly filtered: boolean }): ReactNode {
  return (
    <EmptyState icon={<Stamp className="size-6" />} title={filtered ? "None of that type" : "Nobody waits for you"}>
      {filtered
        ? "Agents of other types may wait for someone."
        : "When a tool needs a yes, an agent asks something or a budget is used up, it is here to be decided."}
    </EmptyState>
  )
}
