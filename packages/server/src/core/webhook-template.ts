import { valueAt, type Json, RouseError } from "@rouse/protocol"

/**
 * Templates of a webhook's routes: text with `{path}`s of the delivery.
 *
 * @throws {RouseError} `INVALID_ARGS` naming a path that leads to nothing, or to no text, number or truth value.
 */
export function fill(template: string, delivery: Json, write: (value: string) => string = (value) => value): string {
  return template.replace(/\{([A-Za-z0-9_$.-]+)\}/g, (_, path: string) => {
    const found = valueAt(delivery, path)
    if (typeof found === "string" || typeof found === "number" || typeof found === "boolean")
      return write(String(found))
    throw new RouseError("INVALID_ARGS", `{${path}} is ${found === undefined ? "not there" : "no text"}`)
  })
}

/** The same for arguments. One that is a path and nothing else is what is there, of whatever kind. */
export function fillArgs(args: Readonly<Record<string, Json>>, delivery: Json): Record<string, Json> {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, fillValue(value, delivery)]))
}

function fillValue(value: Json, delivery: Json): Json {
  if (typeof value !== "string") return value
  const path = /^\{([A-Za-z0-9_$.-]+)\}$/.exec(value)?.[1]
  const found = path === undefined ? undefined : valueAt(delivery, path)
  return found === undefined ? fill(value, delivery) : found
}

const encoder = new TextEncoder()

/** A value as part of an entity's id. Two values are never written the same: what may not be in an id, and `~` itself, is `~` and its bytes. */
export function idPart(value: string): string {
  return value.replace(/[^A-Za-z0-9._-]/gu, (character) =>
    [...encoder.encode(character)].map((byte) => `~${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  )
}
