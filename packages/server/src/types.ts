import { type EntityDefinition, typeInfo } from "@rouse/agents/runtime"
import { type ErrorCode, RouseError, type TypeInfo } from "@rouse/protocol"

/** The entity types that this server serves. Replaced as a whole when their code is loaded again. */
export class Types {
  #types: ReadonlyMap<string, EntityDefinition>

  constructor(definitions: Iterable<EntityDefinition>) {
    this.#types = byName(definitions)
  }

  /** Wakes that start from now on see these definitions; wakes under way keep theirs. */
  replace(definitions: Iterable<EntityDefinition>): void {
    this.#types = byName(definitions)
  }

  get(name: string): EntityDefinition | undefined {
    return this.#types.get(name)
  }

  /** @throws {RouseError} `UNKNOWN_TYPE`, naming the types there are. */
  need(name: string): EntityDefinition {
    const type = this.#types.get(name)
    if (type) return type
    const known = [...this.#types.keys()].sort().join(", ") || "none"
    throw new RouseError(
      "UNKNOWN_TYPE" satisfies ErrorCode,
      `there is no entity type "${name}"; this server has: ${known}`,
    )
  }

  /** The names of the types that are served. */
  names(): readonly string[] {
    return [...this.#types.keys()]
  }

  list(): readonly TypeInfo[] {
    return [...this.#types.values()].map(typeInfo).sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

function byName(definitions: Iterable<EntityDefinition>): ReadonlyMap<string, EntityDefinition> {
  return new Map([...definitions].map((definition) => [definition.name, definition]))
}
