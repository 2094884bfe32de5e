import { RouseError } from "@rouse/protocol"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"
import type { Spaces } from "./space.ts"

/** Where a schema has what opens its spaces. It comes with `defineShared`, so that a bundle which shares nothing is not made larger by it. */
export const SPACES: unique symbol = Symbol.for("rouse.spaces")

export type SpacesOf = (session: Session, scopes: Scopes) => Spaces

/** The shared spaces of a wake. @throws {RouseError} `INVALID_ARGS` for what `defineShared` did not make. */
export function spacesOf(schema: { readonly [SPACES]?: SpacesOf }, session: Session, scopes: Scopes): Spaces {
  const of = schema[SPACES]
  if (of !== undefined) return of(session, scopes)
  throw new RouseError("INVALID_ARGS", "shared: schema must be what defineShared made")
}
