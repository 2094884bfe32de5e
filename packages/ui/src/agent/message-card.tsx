import type { ChangeNotice, ChildFinished, Json, MessageRow, Principal } from "@rouse/protocol"
import { CornerDownRight, Eye, GitFork, Stamp, Timer, Wrench, Zap } from "lucide-react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import type { BadgeTone } from "../components/badge.tsx"
import { cn } from "../components/class-names.ts"
import { JsonView } from "../components/json-view.tsx"
import { Ago } from "../components/times.tsx"
import { isObject, readable } from "../core/json.ts"
import { Files } from "./files.tsx"
import { EntityLink } from "./entity-link.tsx"
import { Markdown } from "./markdown.tsx"
import { Line } from "./notice-line.tsx"

/** Something in the inbox: who it is from, what it says, and how far it has come. */
export function MessageCard({ row, url }: { readonly row: MessageRow; readonly url: string }): ReactNode {
  if (row.kind === "message") return <Message row={row} url={url} />
  if (row.kind === "childFinished") return <Finished row={row} content={row.content as unknown as ChildFinished} />
  return (
    <Line icon={ICONS[row.kind]} at={row.at}>
      {TEXTS[row.kind](row)}
      <Fate row={row} />
    </Line>
  )
}

const ICONS = {
  approval: <Stamp className="size-3.5" />,
  toolResult: <Wrench className="size-3.5" />,
  signal: <Zap className="size-3.5" />,
  timeout: <Timer className="size-3.5" />,
  budget: <Stamp className="size-3.5" />,
  change: <Eye className="size-3.5" />,
  forked: <GitFork className="size-3.5" />,
} as const

const TEXTS: Readonly<Record<keyof typeof ICONS, (row: MessageRow) => string>> = {
  approval: ({ from, content }) => {
    const note = field(content, "note")
    const what = /-b\d+$/.test(field(content, "call") ?? "") ? "more budget" : "the call"
    const decision = field(content, "decision")
    if (decision === "expire") return "Nobody decided in time"
    return `${from.id} ${decision === "deny" ? "denied" : "allowed"} ${what}${note ? `: ${note}` : ""}`
  },
  toolResult: ({ from, content }) => `${from.id} ended a tool call: ${field(content, "status") ?? ""}`,
  signal: ({ from, content }) => `${from.id} sent the signal ${field(content, "name") ?? ""}`,
  timeout: ({ content }) => {
    const observation = field(content, "observation")
    return observation === undefined ? "A timer came due" : `Nothing was observed by ${observation}`
  },
  forked: () => "Forked: what was open goes on",
  budget: ({ from }) => `${from.id} has used up its budget`,
  change: ({ content }) => {
    const { observation, count } = content as unknown as ChangeNotice
    return `Observed by ${observation}: ${count} ${count === 1 ? "change" : "changes"}`
  },
}

function Message({ row, url }: { readonly row: MessageRow; readonly url: string }): ReactNode {
  return (
    <div className={cn("rounded-lg px-3.5 py-2.5", row.status === "dead" ? "bg-danger-soft" : "bg-sunken")}>
      <div className="mb-0.5 flex items-baseline gap-2 text-xs text-ink-3">
        <From principal={row.from} />
        <Ago at={row.at} />
        <span className="ml-auto inline-flex items-center gap-1.5 self-center">
          {row.mode === "interrupt" && <Badge>interrupts</Badge>}
          <Fate row={row} />
        </span>
      </div>
      {!(row.content === "" && row.attachments?.length) && <Content row={row} />}
      <Files url={url} files={row.attachments ?? []} className="mt-2" />
      {row.reason !== undefined && (
        <p className={cn("mt-1 text-xs", row.status === "dead" ? "text-danger" : "text-ink-3")}>{row.reason}</p>
      )}
    </div>
  )
}

function From({ principal }: { readonly principal: Principal }): ReactNode {
  if (principal.kind === "agent") return <EntityLink url={principal.id} className="font-medium" />
  return <span className="font-medium text-ink-2">{principal.id}</span>
}

const FATES: Partial<Record<MessageRow["status"], { readonly tone: BadgeTone; readonly text: string }>> = {
  accepted: { tone: "plain", text: "accepted" },
  cancelled: { tone: "plain", text: "cancelled" },
  dead: { tone: "danger", text: "dead" },
}

/** How far the message has come, when it is not the usual. */
function Fate({ row }: { readonly row: MessageRow }): ReactNode {
  const fate = FATES[row.status]
  return fate ? <Badge tone={fate.tone}>{fate.text}</Badge> : null
}

/** What a person wrote is shown as they wrote it; what an agent wrote is Markdown. */
function Content({ row }: { readonly row: MessageRow }): ReactNode {
  const content = readable(row.content)
  const cancelled = row.status === "cancelled"
  if (content === undefined) return <p className="text-ink-3">An empty message</p>
  if ("json" in content) return <JsonView value={content.json} />
  if (row.from.kind === "agent" && !cancelled) return <Markdown text={content.text} streaming={false} />
  return (
    <p
      className={cn(
        "text-base break-words whitespace-pre-wrap",
        cancelled ? "text-ink-2 line-through decoration-ink-3" : "text-ink",
      )}
    >
      {content.text}
    </p>
  )
}

function Finished({ row, content }: { readonly row: MessageRow; readonly content: ChildFinished }): ReactNode {
  const reply = readable(content.reply)
  return (
    <div className="rounded-lg border border-line px-3.5 py-2.5">
      <div className="flex items-center gap-2 text-xs text-ink-3">
        <CornerDownRight aria-hidden className="size-3.5 rotate-180" />
        <EntityLink url={content.url} className="text-sm" />
        <span className={cn(content.outcome === "failed" && "text-danger")}>{content.outcome}</span>
        <Ago at={row.at} className="ml-auto" />
      </div>
      {content.error !== undefined && <p className="mt-1 text-danger">{content.error}</p>}
      {reply && (
        <details className="group mt-1" open={"text" in reply && reply.text.length < REPLY_OPEN_CHARS}>
          <summary className="w-fit rounded text-xs text-ink-3 group-open:hidden hover:text-ink">
            Show its reply
          </summary>
          {"text" in reply ? (
            <div className="prose-small text-ink-2">
              <Markdown text={reply.text} streaming={false} />
            </div>
          ) : (
            <JsonView value={reply.json} depthOpen={1} />
          )}
        </details>
      )}
    </div>
  )
}

const REPLY_OPEN_CHARS = 400

function field(value: Json, name: string): string | undefined {
  const found = isObject(value) ? value[name] : undefined
  return typeof found === "string" ? found : undefined
}
