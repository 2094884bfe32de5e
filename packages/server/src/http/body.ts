import { RouseError } from "@rouse/protocol"
import type { z } from "zod"
import { DEPTH_MAX, isDeeperThan } from "../core/depth.ts"

/**
 * The text of a request's body.
 *
 * @throws {RouseError} `TOO_LARGE` past `bytesMax`, before all of it is read; `BAD_JSON` when it is not UTF-8.
 */
export async function readText(request: Request, bytesMax: number): Promise<string> {
  return decodeText(await readBytes(request, bytesMax))
}

/** @throws {RouseError} `TOO_LARGE` past `bytesMax`, before all of it is read. */
export async function readBytes(request: Request, bytesMax: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? "0")
  if (declared > bytesMax) throw tooLarge(bytesMax)
  const bytes = declared > 0 ? new Uint8Array(await request.arrayBuffer()) : await readChunks(request, bytesMax)
  if (bytes.length > bytesMax) throw tooLarge(bytesMax)
  return bytes
}

/** @throws {RouseError} `BAD_JSON` when it is not UTF-8. */
export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes)
  } catch {
    throw new RouseError("BAD_JSON", "the body is not valid UTF-8")
  }
}

/**
 * A value of the body's text that matches the schema. An empty body is `{}`.
 *
 * @throws {RouseError} `BAD_JSON`; `INVALID_ARGS` naming the field.
 */
export function parseBody<T>(text: string, schema: z.ZodType<T>): T {
  return parseValue(parseText(text === "" ? "{}" : text), schema, "body")
}

/** @throws {RouseError} `BAD_JSON`, also for what is nested too deep. */
export function parseText(text: string): unknown {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new RouseError(
      "BAD_JSON",
      `the body is not valid JSON: ${error instanceof Error ? error.message : "syntax error"}`,
    )
  }
  // A body too short to be that deep needs no look.
  if (text.length > 2 * DEPTH_MAX && isDeeperThan(json, DEPTH_MAX)) {
    throw new RouseError("BAD_JSON", `the body is nested deeper than ${DEPTH_MAX} levels`)
  }
  return json
}

/** @throws {RouseError} `INVALID_ARGS` naming the field. */
export function parseValue<T>(value: unknown, schema: z.ZodType<T>, name: string): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue && issue.path.length > 0 ? issue.path.join(".") : name
  throw new RouseError("INVALID_ARGS", `${field}: ${issue?.message ?? "is not valid"}`)
}

async function readChunks(request: Request, bytesMax: number): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request.body) {
    length += chunk.length
    if (length > bytesMax) throw tooLarge(bytesMax)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(bytesMax: number): RouseError {
  return new RouseError("TOO_LARGE", `the body is larger than ${bytesMax} bytes`)
}
