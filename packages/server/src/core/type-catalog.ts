import type { ChangeEvent, Json, RemoteDispatch, Routing, TypeManifest } from "@rouse/protocol"

/**
 * The types whose handlers are outside of the server: a projection of the log that they are registered on.
 *
 * Invariants:
 * 1. `versions` is in the order of registration, the newest last; one version is there once.
 * 2. A webhook address has one version that is not superseded: the one registered last, since that is what runs there.
 */
export type TypeCatalog = ReadonlyMap<string, RegisteredType>

export interface RegisteredType {
  readonly versions: readonly TypeRecord[]
  readonly routing: Routing
}

/** One version of a type, as it was registered. */
export interface TypeRecord extends TypeManifest {
  readonly version: string
  readonly dispatch: RemoteDispatch
  readonly registeredAt: string
  readonly supersededBy?: string
}

/** Versions of one type that are kept. */
export const VERSIONS_MAX = 64

const LATEST: Routing = { kind: "latest" }

/** The catalog after one change of the log. Changes that are not of a catalog are left alone. */
export function applyTypeChange(catalog: TypeCatalog, { type, key, value, headers }: ChangeEvent): TypeCatalog {
  const next = new Map(catalog)
  if (type === "version") {
    const record = headers.operation === "delete" ? undefined : (value as unknown as TypeRecord)
    const name = key.slice(0, key.indexOf("@"))
    const versions = without(next.get(name)?.versions ?? [], key.slice(name.length + 1))
    const all = record ? added(versions, record) : versions
    if (all.length === 0) next.delete(name)
    else next.set(name, { versions: all, routing: next.get(name)?.routing ?? LATEST })
  }
  if (type === "routing") {
    const known = next.get(key)
    if (known) next.set(key, { ...known, routing: (value ?? LATEST) as unknown as Routing })
  }
  return next
}

/** The change that registers a version. */
export function versionEvent(record: TypeRecord): ChangeEvent {
  return {
    type: "version",
    key: `${record.name}@${record.version}`,
    value: record as unknown as Json,
    headers: { operation: "insert" },
  }
}

/** The change that takes a version away. */
export function removalEvent(name: string, version: string): ChangeEvent {
  return { type: "version", key: `${name}@${version}`, headers: { operation: "delete" } }
}

/** The change that routes a type. */
export function routingEvent(name: string, routing: Routing): ChangeEvent {
  return { type: "routing", key: name, value: routing, headers: { operation: "update" } }
}

/** A version's record; of one that was superseded, what stands in its place. */
export function versionOf(type: RegisteredType, version: string): TypeRecord | undefined {
  let found = type.versions.find((record) => record.version === version)
  // Each stands later in the list than the one before it, so this ends.
  while (found?.supersededBy !== undefined) {
    const { supersededBy } = found
    found = type.versions.find((record) => record.version === supersededBy)
  }
  return found
}

/** The version that begins an entity's runs. */
export function routedVersion(type: RegisteredType, url: string): TypeRecord | undefined {
  const { routing } = type
  const wanted =
    routing.kind === "latest"
      ? undefined
      : routing.kind === "pin" || isInCanary(url, routing.percent)
        ? routing.version
        : routing.base
  return (wanted === undefined ? undefined : versionOf(type, wanted)) ?? type.versions.at(-1)
}

/** The version that begins runs, or, of a canary, what most take. */
export function baseVersion(type: RegisteredType): TypeRecord | undefined {
  const { routing } = type
  const wanted = routing.kind === "latest" ? undefined : routing.kind === "pin" ? routing.version : routing.base
  return (wanted === undefined ? undefined : versionOf(type, wanted)) ?? type.versions.at(-1)
}

/** What an entity's next wake runs: the version of its open run where that is still there, else the routed one. */
export function resolveVersion(type: RegisteredType, url: string, run: string | undefined): TypeRecord | undefined {
  return (run === undefined ? undefined : versionOf(type, run)) ?? routedVersion(type, url)
}

/** Whether an entity is among the first `percent` of all: always the same ones, and more as it grows. FNV-1a of the address. */
export function isInCanary(url: string, percent: number): boolean {
  let hash = 0x811c9dc5
  for (let i = 0; i < url.length; i++) hash = Math.imul(hash ^ url.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return ((hash ^ (hash >>> 13)) >>> 0) % 10_000 < percent * 100
}

function without(versions: readonly TypeRecord[], version: string): readonly TypeRecord[] {
  return versions
    .filter((record) => record.version !== version)
    .map((record) => (record.supersededBy === version ? bare(record) : record))
}

function bare(record: TypeRecord): TypeRecord {
  const { supersededBy, ...rest } = record
  return supersededBy === undefined ? record : rest
}

function added(versions: readonly TypeRecord[], record: TypeRecord): readonly TypeRecord[] {
  const all = [
    ...versions.map((old) => (isReplaced(old, record) ? { ...old, supersededBy: record.version } : old)),
    record,
  ]
  return all.slice(-VERSIONS_MAX)
}

function isReplaced(old: TypeRecord, record: TypeRecord): boolean {
  const { dispatch } = record
  return dispatch.kind === "webhook" && old.dispatch.kind === "webhook" && old.dispatch.url === dispatch.url
}
