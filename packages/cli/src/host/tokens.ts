import { RouseError } from "@rouse/protocol"
import { adminToken, parseTokens } from "@rouse/server"
import type { Token } from "@rouse/server"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Io } from "../io.ts"

/**
 * The tokens that requests must carry: from the file that `--tokens` or ROUSE_TOKENS_FILE names, from ROUSE_TOKENS (the same JSON, or
 * admin tokens between commas) and from ROUSE_TOKEN (one admin token). None when nothing is set.
 *
 * @throws {RouseError} `NOT_FOUND` when the file is not there, `BAD_REQUEST` when something is wrong in it. Never with a token.
 */
export async function readTokens(file: string | undefined, io: Io): Promise<readonly Token[]> {
  const path = file ?? set(io.env["ROUSE_TOKENS_FILE"])
  const several = set(io.env["ROUSE_TOKENS"])
  const one = set(io.env["ROUSE_TOKEN"])
  return [
    ...(path === undefined ? [] : parseTokens(await read(path, file === undefined ? "ROUSE_TOKENS_FILE" : "--tokens", io))),
    ...(several === undefined ? [] : fromVariable(several)),
    ...(one === undefined ? [] : [adminToken("ROUSE_TOKEN", one)]),
  ]
}

function fromVariable(text: string): readonly Token[] {
  if (text.startsWith("{")) return parseTokens(text)
  return text.split(",").map((token, at) => adminToken(`ROUSE_TOKENS.${at + 1}`, token.trim()))
}

async function read(path: string, from: string, io: Io): Promise<string> {
  try {
    return await readFile(resolve(io.cwd, path), "utf8")
  } catch (error) {
    throw new RouseError("NOT_FOUND", `${from}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`, { cause: error })
  }
}

function set(value: string | undefined): string | undefined {
  const text = value?.trim()
  return text === "" ? undefined : text
}
