import type { EntityEventType, Json, JsonObject, WebhookKind } from "@rouse/protocol"
import { ENTITY_EVENTS } from "@rouse/protocol"
import type { ReactNode } from "react"
import { SchemaDialog } from "../components/schema-dialog.tsx"
import { useApp, useTypes } from "../data/app.tsx"

interface DialogProps {
  readonly close: () => void
  readonly made: () => void
}

const text = (description: string): JsonObject => ({ type: "string", description })

/** Lets others rouse agents. */
export function SourceDialog({ close, made }: DialogProps): ReactNode {
  const { client } = useApp()
  const types = (useTypes() ?? []).map(({ name }) => name)
  const submit = async (value: Json): Promise<void> => {
    const { name, kind, secret, type, id } = value as Readonly<Record<string, string>>
    const to = type !== undefined && id !== undefined ? [{ type, id }] : []
    await client.setWebhookSource(name!, { kind: kind as WebhookKind, secrets: [secret!], to })
    made()
  }
  const schema: JsonObject = {
    type: "object",
    properties: {
      name: text("The last part of its address"),
      kind: { enum: ["github", "stripe", "slack", "standard"], description: "Whose signatures it carries" },
      secret: text("The name of the secret it is signed with, not the secret"),
      type: { enum: types, description: "Of the agent that is told" },
      id: text("Of the agent; {path}s of the delivery are filled in: {body.repository.name}"),
    },
    required: ["name", "kind", "secret"],
  }
  return (
    <SchemaDialog
      title="New source"
      description="Who may call the server without a key, since it signs what it sends."
      schema={schema}
      yes="Create source"
      close={close}
      submit={submit}
    />
  )
}

/** Tells others what happens to agents. */
export function SubscriptionDialog({ close, made }: DialogProps): ReactNode {
  const { client } = useApp()
  const types = (useTypes() ?? []).map(({ name }) => name)
  const submit = async (value: Json): Promise<void> => {
    const { name, url, secret, type, event } = value as Readonly<Record<string, string>>
    await client.setEventSubscription(name!, {
      url: url!,
      secret: secret!,
      ...(type !== undefined && { types: [type] }),
      ...(event !== undefined && { events: [event as EntityEventType] }),
    })
    made()
  }
  const schema: JsonObject = {
    type: "object",
    properties: {
      name: text("What it is called"),
      url: text("Where requests go, https in production"),
      secret: text("The name of the secret they are signed with"),
      type: { enum: types, description: "Of which agents; all when none is chosen" },
      event: { enum: [...ENTITY_EVENTS], description: "Of what; everything when none is chosen" },
    },
    required: ["name", "url", "secret"],
  }
  return (
    <SchemaDialog
      title="New subscription"
      description="What happens is sent in signed requests, in order, until it is taken."
      schema={schema}
      yes="Create subscription"
      close={close}
      submit={submit}
    />
  )
}
