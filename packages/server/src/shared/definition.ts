import { isEntityId, RouseError, SPACE_COLLECTIONS, sharedStreamPath } from "@rouse/protocol"
import type { Json, SharedDefinition, SharedInfo } from "@rouse/protocol"
import { sharedDefinition } from "@rouse/protocol/schemas"
import type { SpaceRecord } from "@rouse/store"
import { canonicalJson } from "../core/canonical.ts"
import { isoTime } from "../core/control.ts"
import { parseValue } from "../http/body.ts"
import type { Plane } from "../plane.ts"
import { RowCheck } from "./row-check.ts"

/** Tries of a definition that others replace meanwhile. */
const TRIES_MAX = 5
/** A definition, as JSON text. */
const DEFINITION_CHARS_MAX = 131_072

/** @throws {RouseError} `BAD_REQUEST` when a space cannot be named so. */
export function sharedPath(id: string): string {
  if (isEntityId(id)) return sharedStreamPath(id)
  throw new RouseError(
    "BAD_REQUEST",
    `space: "${id}" must be 1 to 128 letters, digits and ._~- beginning with a letter or digit`,
  )
}

/** @throws {RouseError} `NOT_FOUND`. */
export async function needSpace(plane: Plane, id: string): Promise<SpaceRecord> {
  const found = await plane.store.space(sharedPath(id))
  if (found) return found
  throw new RouseError("NOT_FOUND", `there is no shared space "${id}"`, { details: { space: id } })
}

/**
 * Makes a space, or gives it another definition. Rows stay as they are: a new schema is for what is written from now on.
 *
 * @returns Whether it was made.
 * @throws {RouseError} `INVALID_ARGS` naming the field; `ALREADY_EXISTS` when a collection with rows is to go, or to change its key or indexes.
 */
export async function defineSpace(plane: Plane, id: string, definition: unknown): Promise<boolean> {
  const path = sharedPath(id)
  const wanted = checkDefinition(definition)
  for (let attempt = 1; ; attempt += 1) {
    const known = await plane.store.space(path)
    if (known && sameDefinition(known.definition, wanted)) return false
    const change = { kind: "define", definition: wanted, version: known?.version ?? 0 } as const
    try {
      await plane.store.commit({ ops: [{ op: "space", path, change, nowMs: plane.clock() }] })
      return known === undefined
    } catch (error) {
      if (!RouseError.is(error, "CONFLICT") || attempt === TRIES_MAX) throw error
    }
  }
}

export function infoOf({ path, definition, createdAtMs, rows }: SpaceRecord): SharedInfo {
  return {
    id: path.slice(sharedStreamPath("").length),
    definition,
    createdAt: isoTime(createdAtMs),
    rows,
    stream: path,
  }
}

function sameDefinition(a: SharedDefinition, b: SharedDefinition): boolean {
  return canonicalJson(a as unknown as Json) === canonicalJson(b as unknown as Json)
}

/** @throws {RouseError} `INVALID_ARGS` naming the field; `TOO_LARGE`. */
export function checkDefinition(value: unknown): SharedDefinition {
  const definition = parseValue(value, sharedDefinition, "definition")
  if (JSON.stringify(definition).length > DEFINITION_CHARS_MAX)
    throw new RouseError("TOO_LARGE", `collections: at most ${DEFINITION_CHARS_MAX} characters define a space`)
  for (const [name, collection] of Object.entries(definition.collections)) {
    if (SPACE_COLLECTIONS.includes(name)) fail(name, "is a collection of every space's log; choose another name")
    if (collection.schema["type"] !== "object") fail(`${name}.schema`, 'must be of type "object"')
    try {
      RowCheck.of(collection)
    } catch (error) {
      fail(`${name}.schema`, error instanceof Error ? error.message : "is no JSON Schema")
    }
  }
  return definition
}

function fail(field: string, rule: string): never {
  throw new RouseError("INVALID_ARGS", `collections.${field}: ${rule}`, { details: { field: `collections.${field}` } })
}
