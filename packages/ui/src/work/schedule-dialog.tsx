import type { Json, JsonObject, ScheduleRule } from "@rouse/protocol"
import type { ReactNode } from "react"
import { SchemaDialog } from "../components/schema-dialog.tsx"
import { useApp } from "../data/app.tsx"

const text = (description: string): JsonObject => ({ type: "string", description })

const SCHEMA: JsonObject = {
  type: "object",
  properties: {
    agent: text("Its address, as /reporter/one"),
    name: text("What it is called"),
    when: { enum: ["cron", "every", "at"], description: "By the calendar, at an interval, or once" },
    value: text("0 9 * * 1-5; seconds, as 3600; or 2027-01-01T09:00:00Z"),
    timezone: text("Of the calendar, as Europe/Berlin; UTC when empty"),
    message: text("What it is told"),
  },
  required: ["agent", "name", "when", "value", "message"],
}

/** Plans a message to an agent. */
export function ScheduleDialog(props: { readonly close: () => void; readonly made: () => void }): ReactNode {
  const { client } = useApp()
  const submit = async (value: Json): Promise<void> => {
    const filled = value as Readonly<Record<"agent" | "name" | "when" | "value" | "message", string>>
    await client.schedule(filled.agent, filled.name, ruleOf(value as Readonly<Record<string, string>>), filled.message)
    props.made()
  }
  return (
    <SchemaDialog
      title="New schedule"
      description="It sends a message when it comes due, also after a restart."
      schema={SCHEMA}
      yes="Create schedule"
      close={props.close}
      submit={submit}
    />
  )
}

/** What is not a rule is the server's to refuse. */
function ruleOf({ when, value = "", timezone }: Readonly<Record<string, string>>): ScheduleRule {
  if (when === "every") return { every: Number(value) * 1_000 }
  if (when === "at") return { at: value }
  return { cron: value, ...(timezone !== undefined && { timezone }) }
}
