import { useAgents, useApprovals } from "@rouse/client/react"
import { useState } from "react"
import type { ReactNode } from "react"
import { Chat } from "./chat.tsx"

/** The shop's side: every conversation, and what waits for a person beside it. */
export function Desk(): ReactNode {
  const { agents } = useAgents({ type: "support" })
  const [chosen, choose] = useState<string>()
  const shown = chosen ?? agents[0]?.id
  return (
    <main>
      <nav aria-label="Customers" className="flex gap-2 overflow-x-auto p-4 max-lg:border-b lg:flex-col lg:border-r">
        {agents.map(({ id }) => (
          <button key={id} className="text-left" aria-pressed={id === shown} onClick={() => choose(id)}>
            {id}
          </button>
        ))}
        <a href={`?customer=guest-${agents.length + 1}`} target="_blank" className="p-2 underline">
          Be a customer
        </a>
      </nav>
      <Inbox choose={choose} />
      {shown ? <Chat key={shown} customer={shown} /> : <p className="m-auto">Nobody has written yet.</p>}
    </main>
  )
}

function Inbox({ choose }: { readonly choose: (customer: string) => void }): ReactNode {
  const { approvals, refused, decide } = useApprovals({ type: "support" })
  return (
    <aside
      aria-label="Inbox"
      className="space-y-4 overflow-y-auto p-4 max-lg:max-h-2/5 max-lg:border-b lg:order-1 lg:border-l"
    >
      <h2 className="font-semibold">Waiting for you: {approvals.length}</h2>
      {refused && <p role="alert">{refused.message}</p>}
      {approvals.map((waiting) => {
        const { entity, approval } = waiting
        const customer = entity.split("/")[2] ?? ""
        const { order, cents } = approval.input as { order: string; cents: number }
        const act = (form: FormData): Promise<void> =>
          decide(waiting, form.get("decision") === "allow" ? "allow" : "deny", form.get("note") as string)
        return (
          <form key={entity + approval.call} action={act} className="card flex flex-wrap gap-2" data-status="waiting">
            <p className="w-full">
              <a href={`#${customer}`} className="font-semibold underline" onClick={() => choose(customer)}>
                {customer}
              </a>
              {` wants €${(cents / 100).toFixed(2)} back for order ${order}`}
            </p>
            <input name="note" aria-label="Note" placeholder="A note, if you like" autoComplete="off" />
            <button className="main" name="decision" value="allow">
              Allow
            </button>
            <button className="border" name="decision" value="deny">
              Deny
            </button>
          </form>
        )
      })}
    </aside>
  )
}
