import { createHash, timingSafeEqual } from "node:crypto"
import { RouseError } from "@rouse/protocol"
import { z } from "zod"

/** What a token lets its bearer do. `admin` includes `write`, which includes `read`. */
export type Scope = "read" | "write" | "admin"

/** A bearer token as it is kept: its digest, never itself. */
export interface Token {
  readonly name: string
  readonly digest: Buffer
  readonly scope: Scope
}

const RANK: Readonly<Record<Scope, number>> = { read: 0, write: 1, admin: 2 }
const TOKEN_LENGTH_MIN = 16

const entry = z.strictObject({
  name: z.string().min(1).max(64),
  token: z.string().min(TOKEN_LENGTH_MIN).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  scope: z.enum(["read", "write", "admin"]),
})

const file = z.strictObject({ tokens: z.array(entry).min(1) })

/**
 * Reads a tokens file: `{ "tokens": [{ "name", "token" or "sha256", "scope" }] }`.
 *
 * @throws {RouseError} `BAD_REQUEST` naming the field; the message never holds a token.
 */
export function parseTokens(text: string): readonly Token[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new RouseError("BAD_REQUEST", "the tokens file is not valid JSON")
  }
  const parsed = file.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new RouseError(
      "BAD_REQUEST",
      `the tokens file: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is not valid"}`,
    )
  }
  return parsed.data.tokens.map(({ name, token, sha256, scope }, index) => {
    if ((token === undefined) === (sha256 === undefined)) {
      throw new RouseError("BAD_REQUEST", `the tokens file: tokens.${index}: give token or sha256, and only one`)
    }
    return { name, scope, digest: token === undefined ? Buffer.from(sha256 ?? "", "hex") : digestOf(token) }
  })
}

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
  return RANK[has] >= RANK[needs]
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest()
}
