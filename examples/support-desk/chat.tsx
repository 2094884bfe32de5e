import type { ToolPart } from "@rouse/client"
import { useAgent } from "@rouse/client/react"
import type { TimelineView } from "@rouse/client/react"
import { memo } from "react"
import type { ReactNode } from "react"
import { Streamdown } from "streamdown"

/** A customer's conversation: the same for the customer and for the desk. */
export function Chat({ customer }: { readonly customer: string }): ReactNode {
  const agent = useAgent(`/support/${customer}`, { spawn: { args: { customer } } })
  const { items, activity, phase, connected, error, send, resend } = agent
  const doing = activity.kind === "idle" ? "" : `${activity.label}…`
  return (
    <section
      aria-label={`Chat with ${customer}`}
      className="mx-auto flex h-full min-h-0 w-full max-w-2xl flex-1 flex-col px-4"
    >
      <h1 className="flex justify-between border-b py-4 font-semibold">
        Corner Coffee, {customer}
        <small role="status" className="font-normal text-muted-foreground">
          {error?.message ?? (connected ? doing : "reconnecting…")}
        </small>
      </h1>
      <div
        role="log"
        aria-busy={phase === "loading"}
        tabIndex={0}
        className="flex flex-1 flex-col-reverse overflow-y-auto"
      >
        <ol className="mb-auto space-y-4 py-4">
          {items.map((item) => (
            <Item key={item.id} item={item} resend={resend} />
          ))}
          {phase === "live" && items.length === 0 && (
            <li className="text-muted-foreground">Try “Order 2077 arrived broken, I want my money back”.</li>
          )}
        </ol>
      </div>
      <form className="flex gap-2 border-t py-4" action={(form) => void send(form.get("text") as string)}>
        <input name="text" required aria-label="Message" placeholder="How can we help?" autoComplete="off" />
        <button className="main">Send</button>
      </form>
    </section>
  )
}

type ItemProps = { readonly item: TimelineView[number]; readonly resend: (key: string) => unknown }

const Item = memo(function Item({ item, resend }: ItemProps): ReactNode {
  switch (item.kind) {
    case "message":
      return item.row.kind === "message" && <li className="said">{item.row.content as string}</li>
    case "outgoing":
      return (
        <li className="said" data-status={item.status}>
          {item.content as string}
          {item.status === "failed" && <button onClick={() => resend(item.key)}>Not sent. Try again</button>}
        </li>
      )
    case "step":
      return (
        <li className="space-y-3">
          {item.parts.map((part) =>
            part.kind === "tool" ? (
              <ToolCard key={part.key} part={part} />
            ) : (
              <Streamdown key={part.key} mode={part.streaming ? "streaming" : "static"} controls={false}>
                {part.text}
              </Streamdown>
            ),
          )}
        </li>
      )
    case "runEnd":
      return item.outcome !== "completed" && <li role="alert">{item.row.error?.message ?? item.outcome}</li>
    case "child":
    case "error":
    case "signal":
    case "wake":
      return null
  }
})

function ToolCard({ part: { row } }: { readonly part: ToolPart }): ReactNode {
  const { name, status, input, output } = row
  return (
    <details role="group" aria-label={`${name}: ${status}`} className="card" data-status={status}>
      <summary className="flex gap-2">
        <code>{name}</code>
        <span className="flex-1 truncate text-muted-foreground">{Object.values(input as object).join(", ")}</span>
        {status === "waiting" ? "waits for a colleague" : status}
      </summary>
      <pre className="mt-2 overflow-x-auto">{JSON.stringify({ input, output }, null, 2)}</pre>
    </details>
  )
}
