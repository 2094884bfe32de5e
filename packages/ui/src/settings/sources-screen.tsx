import type { EventSubscription, WebhookSource } from "@rouse/protocol"
import { Plus, Trash2, Webhook } from "lucide-react"
import { useCallback, useState } from "react"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import { Button, IconButton } from "../components/button.tsx"
import { Confirm } from "../components/confirm.tsx"
import { CopyButton } from "../components/copy-button.tsx"
import { EmptyState } from "../components/empty-state.tsx"
import { Screen, Told } from "../components/screen.tsx"
import { useAction } from "../data/action.ts"
import { useApp } from "../data/app.tsx"
import { usePolled } from "../data/polled.ts"
import { SourceDialog, SubscriptionDialog } from "./source-dialogs.tsx"

const EVERY_MS = 10_000

/** What comes in from others, and what others are told. */
export function SourcesScreen(): ReactNode {
  const [making, setMaking] = useState<"in" | "out">()
  const { client } = useApp()
  const loadIn = useCallback((signal: AbortSignal) => client.webhookSources({ signal }), [client])
  const loadOut = useCallback((signal: AbortSignal) => client.eventSubscriptions({ signal }), [client])
  const coming = usePolled(loadIn, EVERY_MS)
  const going = usePolled(loadOut, EVERY_MS)
  return (
    <Screen title="Webhooks">
      <Heading title="Coming in" about="Signed requests of others that rouse agents" add={() => setMaking("in")} />
      <Told of={coming} failed="The sources could not be read">
        {(sources) => (
          <>
            {sources.length === 0 && (
              <EmptyState icon={<Webhook className="size-6" />} title="No sources yet">
                Let GitHub, Stripe, Slack or whoever can sign wake an agent.
              </EmptyState>
            )}
            <ul aria-label="Sources of webhooks">
              {sources.map((source) => (
                <Source key={source.name} source={source} reload={coming.reload} />
              ))}
            </ul>
          </>
        )}
      </Told>
      <Heading title="Going out" about="Who is told what happens to agents" add={() => setMaking("out")} />
      <Told of={going} failed="The subscriptions could not be read">
        {(subscriptions) => (
          <>
            {subscriptions.length === 0 && (
              <EmptyState title="Nobody is told">
                Runs, approvals and budgets can be told to an address of yours.
              </EmptyState>
            )}
            <ul aria-label="Subscriptions to events">
              {subscriptions.map((one) => (
                <Subscription key={one.name} one={one} reload={going.reload} />
              ))}
            </ul>
          </>
        )}
      </Told>
      {making === "in" && <SourceDialog close={() => setMaking(undefined)} made={coming.reload} />}
      {making === "out" && <SubscriptionDialog close={() => setMaking(undefined)} made={going.reload} />}
    </Screen>
  )
}

function Heading(props: { readonly title: string; readonly about: string; readonly add: () => void }): ReactNode {
  return (
    <div className="flex flex-wrap items-center gap-3 border-b border-line pt-7 pb-2">
      <div className="min-w-0 flex-1 basis-52">
        <h2 className="font-medium">{props.title}</h2>
        <p className="text-ink-2">{props.about}</p>
      </div>
      <Button onClick={props.add}>
        <Plus className="size-3.5" />
        Add
      </Button>
    </div>
  )
}

function Source({ source, reload }: { readonly source: WebhookSource; readonly reload: () => void }): ReactNode {
  const { client } = useApp()
  const { name, kind, to = [], secrets, stream = true, from } = source
  const address = `${client.url}/v1/webhooks/${name}`
  const told = to.map(({ type, id }) => `/${type}/${id}`)
  return (
    <Entry
      name={name}
      about={from === "api" ? undefined : "from the server's file"}
      remove={
        from === "api"
          ? async () => {
              await client.removeWebhookSource(name)
              reload()
            }
          : undefined
      }
    >
      <Badge>{kind}</Badge>
      <span className="flex min-w-0 items-center gap-1">
        <code className="truncate font-mono text-xs">{address}</code>
        <CopyButton label="Copy the address" text={() => address} />
      </span>
      <p className="w-full break-words text-xs text-ink-3">
        {told.length > 0 ? `tells ${told.join(", ")}` : "tells no agent"}
        {stream && `, kept in the stream webhooks/${name}`}, signed with {secrets.join(" or ")}
      </p>
    </Entry>
  )
}

function Subscription(props: { readonly one: EventSubscription; readonly reload: () => void }): ReactNode {
  const { client } = useApp()
  const { name, url, types, events, collections = [] } = props.one
  const what = [...(events ?? (collections.length === 0 ? ["every event"] : [])), ...collections]
  return (
    <Entry
      name={name}
      remove={async () => {
        await client.removeEventSubscription(name)
        props.reload()
      }}
    >
      <code className="min-w-0 truncate font-mono text-xs">{url}</code>
      <p className="w-full break-words text-xs text-ink-3">
        {what.join(", ")} of {types === undefined ? "all types" : types.join(", ")}
      </p>
    </Entry>
  )
}

function Entry(props: {
  readonly name: string
  readonly about?: string | undefined
  readonly remove: (() => Promise<void>) | undefined
  readonly children: ReactNode
}): ReactNode {
  const { busy, act } = useAction()
  const [asking, setAsking] = useState(false)
  const { name, remove } = props
  return (
    <li className="flex items-start gap-3 border-b border-line py-3">
      <div className="flex min-w-0 flex-1 flex-wrap items-center gap-x-2.5 gap-y-1">
        <span className="font-medium">{name}</span>
        {props.children}
        {props.about && <span className="text-xs text-ink-3">{props.about}</span>}
      </div>
      {remove && (
        <IconButton label={`Remove ${name}`} disabled={busy} onClick={() => setAsking(true)}>
          <Trash2 className="size-4" />
        </IconButton>
      )}
      {remove && (
        <Confirm
          open={asking}
          onOpenChange={setAsking}
          title={`Remove ${name}?`}
          about="What arrives for it, or was to be told, is not handled any more."
          yes="Remove"
          act={() => void act(remove, `${name} is removed.`)}
        />
      )}
    </li>
  )
}
