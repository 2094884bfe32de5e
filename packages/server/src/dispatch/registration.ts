import {
  type DeployBody,
  type HandlerManifest,
  isEntityType,
  type Json,
  type RemoteDispatch,
  RouseError,
  type Routing,
  type TypeBody,
  type TypeManifest,
} from "@rouse/protocol"
import { handlerManifest } from "@rouse/protocol/dispatch-schemas"
import { canonicalJson } from "../core/canonical.ts"
import { isoTime } from "../core/control.ts"
import { newId } from "../core/id.ts"
import {
  type RegisteredType,
  removalEvent,
  routingEvent,
  type TypeCatalog,
  type TypeRecord,
  versionEvent,
} from "../core/type-catalog.ts"
import type { Plane } from "../plane.ts"
import { EndpointFailure } from "./endpoint-failure.ts"
import { checkSchema } from "./served-type.ts"

/** How long a handler may take to say what it has. */
const MANIFEST_MS_MAX = 10_000
/** Types that may be registered at all. */
const TYPES_MAX = 10_000

/**
 * Registers a version of a type, durably. The same again changes nothing.
 *
 * @returns The version.
 * @throws {RouseError} `ALREADY_EXISTS` for a type that this process runs itself, `WEBHOOK_URL_REJECTED`, `INVALID_ARGS` naming the field.
 */
export async function registerType(plane: Plane, name: string, body: TypeBody): Promise<string> {
  const [version = ""] = await register(plane, [{ ...body, name }], body.dispatch, body.version)
  return version
}

/**
 * Asks the handler at an address what it has, and registers all of it.
 *
 * @throws {RouseError} `HANDLER_UNREACHABLE` when it does not answer with a manifest, and why; and as `registerType`.
 */
export async function deploy(plane: Plane, { url, version }: DeployBody): Promise<readonly string[]> {
  const manifest = await askManifest(plane, url)
  await register(plane, manifest.types, { kind: "webhook", url }, version ?? manifest.version)
  return manifest.types.map((type) => type.name)
}

/**
 * Says which version of a type begins new runs.
 *
 * @throws {RouseError} `UNKNOWN_TYPE`; `UNKNOWN_VERSION`.
 */
export async function routeType(plane: Plane, name: string, routing: Routing): Promise<void> {
  await plane.remote.registry.change((catalog) => {
    const type = needType(plane, catalog, name)
    if (routing.kind !== "latest") needVersion(name, type, routing.version)
    if (routing.kind === "canary") needVersion(name, type, routing.base)
    return [routingEvent(name, routing)]
  })
}

/**
 * Takes a type away, or one version of it. Its agents are kept: they wait until it is there again, or go on in another version.
 *
 * @throws {RouseError} `UNKNOWN_TYPE`; `UNKNOWN_VERSION`; `CONFLICT` for a version that runs are routed to.
 */
export async function removeType(plane: Plane, name: string, version: string | undefined): Promise<void> {
  await plane.remote.registry.change((catalog) => {
    const type = needType(plane, catalog, name)
    if (version === undefined) return type.versions.map((record) => removalEvent(name, record.version))
    needVersion(name, type, version)
    const { routing } = type
    const isRouted =
      (routing.kind !== "latest" && routing.version === version) ||
      (routing.kind === "canary" && routing.base === version)
    if (isRouted) throw new RouseError("CONFLICT", `${name} is routed to version ${version}; route it elsewhere first`)
    return [removalEvent(name, version)]
  })
}

async function register(
  plane: Plane,
  manifests: readonly TypeManifest[],
  dispatch: RemoteDispatch,
  version: string | undefined,
): Promise<readonly string[]> {
  checkDispatch(plane, dispatch)
  for (const manifest of manifests) await checkManifest(plane, manifest)
  let versions: readonly string[] = []
  await plane.remote.registry.change((catalog) => {
    if (catalog.size + manifests.length > TYPES_MAX)
      throw new RouseError("OVERLOADED", `at most ${TYPES_MAX} types can be registered`)
    const records = manifests.map((manifest) =>
      recordOf(plane, catalog.get(manifest.name), manifest, dispatch, version),
    )
    versions = records.map((record) => record.version)
    return records.filter((record) => !isKnown(catalog, record)).map(versionEvent)
  })
  return versions
}

function recordOf(
  plane: Plane,
  known: RegisteredType | undefined,
  manifest: TypeManifest,
  dispatch: RemoteDispatch,
  version: string | undefined,
): TypeRecord {
  const { name, description, args, message, collections, timeoutMs, attempts, concurrency, budget } = manifest
  const facts = { description, args, message, collections, timeoutMs, attempts, concurrency, budget }
  const given = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))
  return {
    name,
    ...given,
    version: version ?? nextVersion(known),
    dispatch,
    registeredAt: isoTime(plane.clock()),
  }
}

/** One more than the largest number among the versions. */
function nextVersion(known: RegisteredType | undefined): string {
  const numbers = (known?.versions ?? []).map(({ version }) => (/^[0-9]{1,12}$/.test(version) ? Number(version) : 0))
  return String(Math.max(0, ...numbers) + 1)
}

function isKnown(catalog: TypeCatalog, record: TypeRecord): boolean {
  const known = catalog.get(record.name)?.versions.find(({ version }) => version === record.version)
  if (!known || known.supersededBy !== undefined) return false
  const textOf = (one: TypeRecord): string => canonicalJson({ ...one, registeredAt: "" } as unknown as Json)
  return textOf(known) === textOf(record)
}

function checkDispatch(plane: Plane, dispatch: RemoteDispatch): void {
  if (dispatch.kind === "pull") return
  const { deliveries } = plane.remote
  if (!deliveries) throw new RouseError("WEBHOOK_URL_REJECTED", "dispatch.url: this server sends no webhooks")
  deliveries.check(dispatch.url)
}

async function checkManifest(plane: Plane, manifest: TypeManifest): Promise<void> {
  if (!isEntityType(manifest.name))
    throw new RouseError("INVALID_ARGS", `name: "${manifest.name}" cannot name an entity type`)
  if (plane.types.isLocal(manifest.name))
    throw new RouseError(
      "ALREADY_EXISTS",
      `${manifest.name} is run by the server's own process; name the other type otherwise`,
    )
  await checkSchema(manifest)
}

async function askManifest(plane: Plane, url: string): Promise<HandlerManifest> {
  const { deliveries } = plane.remote
  checkDispatch(plane, { kind: "webhook", url })
  const limit = new AbortController()
  const cancel = plane.defer(MANIFEST_MS_MAX, () =>
    limit.abort(new RouseError("TIMED_OUT", "it did not answer in time")),
  )
  const body = JSON.stringify({ kind: "manifest", delivery: newId(plane.clock(), plane.random) })
  try {
    const manifest = handlerManifest.safeParse(await deliveries?.post(url, body, limit.signal))
    if (manifest.success) return manifest.data
    const issue = manifest.error.issues[0]
    throw new RouseError(
      "HANDLER_UNREACHABLE",
      `url: what answers there is no handler: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a manifest"}`,
    )
  } catch (error) {
    if (!(error instanceof EndpointFailure) && !RouseError.is(error, "TIMED_OUT")) throw error
    throw new RouseError("HANDLER_UNREACHABLE", `url: ${error.message}`, { cause: error })
  } finally {
    cancel()
  }
}

function needType(plane: Plane, catalog: TypeCatalog, name: string): RegisteredType {
  if (plane.types.isLocal(name))
    throw new RouseError("ALREADY_EXISTS", `${name} is run by the server's own process, and has one version`)
  const type = catalog.get(name)
  if (type) return type
  throw new RouseError("UNKNOWN_TYPE", `no type "${name}" is registered`)
}

function needVersion(name: string, type: RegisteredType, version: string): void {
  if (type.versions.some((record) => record.version === version)) return
  const known = type.versions.map((record) => record.version).join(", ")
  throw new RouseError("UNKNOWN_VERSION", `version: ${name} has no version "${version}"; it has: ${known}`)
}
