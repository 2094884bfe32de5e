import { type EntityDefinition, typeManifest } from "@rouse/agents/runtime"
import { type EntityUrl, RouseError } from "@rouse/protocol"
import {
  baseVersion,
  type RegisteredType,
  resolveVersion,
  type TypeCatalog,
  type TypeRecord,
  versionOf,
} from "./core/type-catalog.ts"
import { localType, remoteType, type ServedType } from "./dispatch/served-type.ts"

/**
 * The entity types that this server serves: those that its own process runs, and those that are registered with handlers elsewhere.
 * One that the process runs goes before one of the same name that is registered.
 */
export class Types {
  #local: ReadonlyMap<string, ServedType>
  #catalog: () => TypeCatalog = () => new Map()
  readonly #remote = new WeakMap<TypeRecord, ServedType>()

  constructor(definitions: Iterable<EntityDefinition>) {
    this.#local = byName(definitions)
  }

  /** Also serves what is registered. */
  follow(catalog: () => TypeCatalog): void {
    this.#catalog = catalog
  }

  /** Wakes that start from now on see these definitions; wakes under way keep theirs. */
  replace(definitions: Iterable<EntityDefinition>): void {
    this.#local = byName(definitions)
  }

  /** A type in one of its versions; without one, in that which begins runs. Undefined when it is not served. */
  get(name: string, version?: string): ServedType | undefined {
    const local = this.#local.get(name)
    if (local) return local
    const type = this.#catalog().get(name)
    if (!type) return undefined
    const record = version === undefined ? baseVersion(type) : versionOf(type, version)
    return record && this.#served(record)
  }

  /** What an entity's next wake runs. @param run The version of its open run. */
  resolve(name: string, url: EntityUrl, run: string | undefined): ServedType | undefined {
    const local = this.#local.get(name)
    if (local) return local
    const type = this.#catalog().get(name)
    const record = type && resolveVersion(type, url, run)
    return record && this.#served(record)
  }

  /** @throws {RouseError} `UNKNOWN_TYPE`, naming the types there are. */
  need(name: string, url: EntityUrl): ServedType {
    const type = this.resolve(name, url, undefined)
    if (type) return type
    const known = this.names().toSorted().join(", ") || "none"
    throw new RouseError("UNKNOWN_TYPE", `there is no entity type "${name}"; this server has: ${known}`)
  }

  /** The names of the types that are served. */
  names(): readonly string[] {
    return [...new Set([...this.#local.keys(), ...this.#catalog().keys()])]
  }

  isLocal(name: string): boolean {
    return this.#local.has(name)
  }

  registered(name: string): RegisteredType | undefined {
    return this.#local.has(name) ? undefined : this.#catalog().get(name)
  }

  /** Every version of a type that wakes may be run with. */
  versions(name: string): readonly ServedType[] {
    const local = this.#local.get(name)
    if (local) return [local]
    const versions = this.#catalog().get(name)?.versions ?? []
    return versions.filter((record) => record.supersededBy === undefined).map((record) => this.#served(record))
  }

  #served(record: TypeRecord): ServedType {
    const known = this.#remote.get(record)
    if (known) return known
    const made = remoteType(record)
    this.#remote.set(record, made)
    return made
  }
}

function byName(definitions: Iterable<EntityDefinition>): ReadonlyMap<string, ServedType> {
  return new Map(
    [...definitions].map((definition) => [definition.name, localType(definition, typeManifest(definition))]),
  )
}
