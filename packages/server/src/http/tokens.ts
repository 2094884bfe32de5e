import { createHash, timingSafeEqual } from "node:crypto"
import { RouseError } from "@rouse/protocol"

/** What a token lets its bearer do. `admin` includes `write`, which includes `read` and `work`: to take tool calls and say what became of them. */
export type Scope = "work" | "read" | "write" | "admin"

/** A bearer token as it is kept: its digest, never itself. */
export interface Token {
  readonly name: string
  readonly digest: Buffer
  readonly scope: Scope
}

const RANK: Readonly<Record<Exclude<Scope, "work">, number>> = { read: 0, write: 1, admin: 2 }
export const TOKEN_LENGTH_MIN = 16

/**
 * A token given by itself, as the environment does.
 *
 * @throws {RouseError} `BAD_REQUEST` when it is shorter than 16 characters.
 */
export function adminToken(name: string, token: string): Token {
  if (token.length < TOKEN_LENGTH_MIN)
    throw new RouseError("BAD_REQUEST", `${name}: a token needs at least ${TOKEN_LENGTH_MIN} characters`)
  return { name, digest: digestOf(token), scope: "admin" }
}

/** The token that a bearer showed; undefined when it is none of these. Takes the same time whichever it is. */
export function findToken(tokens: readonly Token[], bearer: string): Token | undefined {
  const digest = digestOf(bearer)
  let found: Token | undefined
  for (const token of tokens) if (timingSafeEqual(token.digest, digest)) found = token
  return found
}

/** Whether a token of scope `has` may do what needs `needs`. */
export function allows(has: Scope, needs: Scope): boolean {
  if (needs === "work") return has === "work" || RANK[has] >= RANK.write
  return has !== "work" && RANK[has] >= RANK[needs]
}

export function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest()
}
