import type { Dispatch, EndpointHealth, Routing, TypeInfo, TypeVersion } from "@rouse/protocol"
import type { ReactNode } from "react"
import { Badge } from "../components/badge.tsx"
import type { BadgeTone } from "../components/badge.tsx"

const HEALTH: Readonly<Record<EndpointHealth["state"], { readonly label: string; readonly tone: BadgeTone }>> = {
  ok: { label: "answers", tone: "accent" },
  open: { label: "left alone", tone: "danger" },
  probing: { label: "being tried", tone: "attention" },
  idle: { label: "no worker", tone: "attention" },
}

/** Where a type's handlers are, how they answer, and which version begins runs. */
export function HandlerFacts({ type }: { readonly type: TypeInfo }): ReactNode {
  const { dispatch, health, routing, version, versions = [] } = type
  return (
    <div className="mt-2 text-xs text-ink-3">
      <p className="flex flex-wrap items-center gap-1.5">
        <span className="break-all">{placeOf(dispatch)}</span>
        {version !== undefined && <Badge>{version}</Badge>}
        {dispatch.kind !== "local" && <Health health={health} />}
        {routing && <span>{routingText(routing)}</span>}
      </p>
      {dispatch.kind !== "local" && health.reason !== undefined && health.failures > 0 && (
        <p className="mt-1 break-words text-danger">
          {health.failures} in a row: {health.reason}
        </p>
      )}
      {versions.length > 1 && (
        <ul aria-label={`Versions of ${type.name}`} className="mt-2 flex flex-col gap-1">
          {versions.map((one) => (
            <Version key={one.version} one={one} />
          ))}
        </ul>
      )}
    </div>
  )
}

function Version({ one }: { readonly one: TypeVersion }): ReactNode {
  return (
    <li className="flex flex-wrap items-center gap-1.5">
      <Badge>{one.version}</Badge>
      <span className="break-all">{placeOf(one.dispatch)}</span>
      <Health health={one.health} />
      {one.supersededBy !== undefined && <span>its address serves {one.supersededBy} now</span>}
    </li>
  )
}

function Health({ health }: { readonly health: EndpointHealth }): ReactNode {
  const { label, tone } = HEALTH[health.state]
  return (
    <Badge tone={tone} {...(health.reason === undefined ? {} : { title: health.reason })}>
      {label}
    </Badge>
  )
}

function placeOf(dispatch: Dispatch): string {
  switch (dispatch.kind) {
    case "local":
      return "Runs in the server"
    case "webhook":
      return `Runs at ${dispatch.url}`
    case "pull":
      return "Runs in workers that ask for wakes"
  }
}

function routingText(routing: Routing): string {
  switch (routing.kind) {
    case "latest":
      return "the latest begins runs"
    case "pin":
      return `pinned to ${routing.version}`
    case "canary":
      return `${routing.percent} % begin in ${routing.version}, the others in ${routing.base}`
  }
}
