import { RouseError } from "@rouse/protocol"
import { z } from "zod"
import { digestOf, TOKEN_LENGTH_MIN } from "./tokens.ts"
import type { Token } from "./tokens.ts"

const entry = z.strictObject({
  name: z.string().min(1).max(64),
  token: z.string().min(TOKEN_LENGTH_MIN).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  scope: z.enum(["work", "read", "write", "admin"]),
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
