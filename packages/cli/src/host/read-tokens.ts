import { RouseError } from "@rouse/protocol"
import { adminToken, parseTokens } from "@rouse/server"
import type { Token } from "@rouse/server"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Io } from "../io.ts"
import { tokenSources } from "./tokens.ts"
import type { TokenSources } from "./tokens.ts"

/**
 * The tokens that requests must carry: of the file that `--tokens` or ROUSE_TOKENS_FILE names, of ROUSE_TOKENS (the
 * same JSON, or
 * admin tokens between commas) and of ROUSE_TOKEN (one admin token). None when nothing is set.
 *
 * @throws {RouseError} `NOT_FOUND` when the file cannot be read, `BAD_REQUEST` when something is wrong in it. Never
 *   with a token.
 */
export async function readTokens(flag: string | undefined, io: Io): Promise<readonly Token[]> {
  const sources = tokenSources(flag, io)
  return [
    ...(sources.file === undefined ? [] : parseTokens(await read(sources.file, sources, io))),
    ...(sources.several === undefined ? [] : fromVariable(sources.several)),
    ...(sources.one === undefined ? [] : [adminToken("ROUSE_TOKEN", sources.one)]),
  ]
}

function fromVariable(text: string): readonly Token[] {
  if (text.startsWith("{")) return parseTokens(text)
  return text.split(",").map((token, at) => adminToken(`ROUSE_TOKENS.${at + 1}`, token.trim()))
}

async function read(path: string, { from }: TokenSources, io: Io): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, path), "utf8")
  } catch (error) {
    throw new RouseError(
      "NOT_FOUND",
      `${from}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      { cause: error },
    )
  }
}
