import type { Dispatch, EndpointHealth, EntitySummary, TypeInfo, TypeVersion } from "@rouse/protocol"
import type { EntityRecord } from "@rouse/store"
import { controlOf, summaryOf } from "../core/control.ts"
import type { TypeRecord } from "../core/type-catalog.ts"
import type { Plane } from "../plane.ts"
import type { ServedType } from "./served-type.ts"

const OK: EndpointHealth = { state: "ok", failures: 0 }

/** `GET /v1/types` */
export function listTypes(plane: Plane): readonly TypeInfo[] {
  return plane.types
    .names()
    .flatMap((name) => typeOf(plane, name) ?? [])
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** What is shown of one type; undefined when it is not served. */
export function typeOf(plane: Plane, name: string): TypeInfo | undefined {
  const type = plane.types.get(name)
  if (!type) return undefined
  const { description, version, dispatch, state, args, message } = type
  const registered = plane.types.registered(name)
  return {
    name,
    description,
    collections: Object.keys(state),
    dispatch: shown(dispatch),
    health: healthOf(plane, type),
    ...(args ? { args } : {}),
    ...(message ? { message } : {}),
    ...(version === undefined ? {} : { version }),
    ...(registered
      ? { routing: registered.routing, versions: registered.versions.toReversed().map((one) => versionOf(plane, one)) }
      : {}),
  }
}

/** An entity as a list shows it, with what it waits for when no handler can run it now. */
export function shownSummary(plane: Plane, record: EntityRecord): EntitySummary {
  const summary = summaryOf(record)
  const reason = record.status === "queued" ? waitReason(plane, record) : undefined
  return reason === undefined ? summary : { ...summary, reason }
}

function waitReason(plane: Plane, record: EntityRecord): string | undefined {
  const { run } = controlOf(record)
  const type = plane.types.resolve(record.type, record.url, run?.version)
  if (!type) return `waits: no handler of the type "${record.type}" is registered`
  const named = type.version === undefined ? type.name : `${type.name}, version ${type.version}`
  const { state, reason, retryAt } = healthOf(plane, type)
  if (state === "idle") return `waits: no worker of ${named} asks for wakes`
  if (state === "open") return `waits: the endpoint of ${named} is tried again at ${retryAt ?? "once"}: ${reason ?? ""}`
  return undefined
}

function healthOf(
  plane: Plane,
  { name, version, dispatch }: Pick<ServedType, "name" | "version" | "dispatch">,
): EndpointHealth {
  const { pulls, circuits } = plane.remote
  if (dispatch.kind === "webhook") return circuits.health(dispatch.url)
  if (dispatch.kind === "pull" && !pulls.isAttended(name, version)) return { state: "idle", failures: 0 }
  return OK
}

function versionOf(plane: Plane, record: TypeRecord): TypeVersion {
  const { version, dispatch, registeredAt, supersededBy } = record
  return {
    version,
    dispatch: shown(dispatch),
    registeredAt,
    health: healthOf(plane, record),
    ...(supersededBy === undefined ? {} : { supersededBy }),
  }
}

/** An address without its query, which may hold a secret. */
function shown(dispatch: Dispatch): Dispatch {
  if (dispatch.kind !== "webhook") return dispatch
  const { origin, pathname } = new URL(dispatch.url)
  return { kind: "webhook", url: origin + pathname }
}
