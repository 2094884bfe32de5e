import {
  type ApprovalRow,
  type ChangeEvent,
  type EntityEventType,
  type EventSubscriptionBody,
  type Json,
  type JsonObject,
  matchesWhere,
} from "@rouse/protocol"

/** What a change of a log means to those outside; undefined when it is of no meaning to them. */
export function eventTypeOf({ type, headers: { operation }, value }: ChangeEvent): EntityEventType | undefined {
  if (operation === "delete") return undefined
  const { status } = (value ?? {}) as { readonly status?: string }
  switch (type) {
    case "entity":
      if (operation === "insert") return "entity.created"
      return status === "stopped" ? "entity.stopped" : undefined
    case "run":
      return RUN[status ?? ""] ?? (operation === "insert" ? "run.started" : undefined)
    case "message":
      if (operation === "insert" && status === "accepted") return "message.accepted"
      return status === "dead" ? "message.dead" : undefined
    case "approval":
      if (status !== "waiting") return "approval.decided"
      if (operation !== "insert") return undefined
      return (value as unknown as ApprovalRow).kind === "budget" ? "budget.asked" : "approval.waiting"
    case "budget":
      return status === "warned" ? "budget.warned" : undefined
    default:
      return undefined
  }
}

const RUN: Readonly<Record<string, EntityEventType>> = {
  suspended: "run.suspended",
  completed: "run.completed",
  failed: "run.failed",
  interrupted: "run.interrupted",
}

/** What a subscription calls a change, when it wants it. */
export function wantedType(
  { events, collections }: Pick<EventSubscriptionBody, "events" | "collections">,
  change: ChangeEvent,
): string | undefined {
  if (collections?.includes(change.type)) return `${change.type}.${change.headers.operation}`
  const type = eventTypeOf(change)
  if (type === undefined || (events === undefined && collections !== undefined)) return undefined
  return events === undefined || events.includes(type) ? type : undefined
}

/** Whether a subscription's condition lets an event through. */
export function isWanted({ where }: Pick<EventSubscriptionBody, "where">, event: JsonObject): boolean {
  return where === undefined || matchesWhere(where, event satisfies Json)
}
