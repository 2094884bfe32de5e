import { RouseError, type WebhookSourceBody } from "@rouse/protocol"
import { isSourceName, webhookSourceBody } from "@rouse/protocol/webhook-schemas"
import { readFile } from "node:fs/promises"
import { resolve } from "node:path"
import type { Io } from "../io.ts"

/**
 * The sources of webhooks of the file that `--webhooks` or ROUSE_WEBHOOKS_FILE names: a JSON object of sources by name. None when nothing is set.
 *
 * @throws {RouseError} `NOT_FOUND` when the file cannot be read; `BAD_REQUEST` naming the source and the field that is wrong.
 */
export async function readWebhooks(
  flag: string | undefined,
  io: Io,
): Promise<Readonly<Record<string, WebhookSourceBody>>> {
  const path = flag ?? io.env["ROUSE_WEBHOOKS_FILE"]
  if (path === undefined || path === "") return {}
  let text: string
  try {
    text = await readFile(resolve(io.cwd, path), "utf8")
  } catch (error) {
    throw new RouseError("NOT_FOUND", `--webhooks: ${path} cannot be read`, { cause: error })
  }
  return parse(text, path)
}

function parse(text: string, path: string): Readonly<Record<string, WebhookSourceBody>> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new RouseError("BAD_REQUEST", `--webhooks: ${path} is not valid JSON`, { cause: error })
  }
  if (typeof json !== "object" || json === null || Array.isArray(json))
    throw new RouseError("BAD_REQUEST", `--webhooks: ${path} must hold an object of sources by name`)
  const entries = Object.entries(json).map(([name, value]) => [name, parseSource(name, value, path)] as const)
  return Object.fromEntries(entries)
}

function parseSource(name: string, value: unknown, path: string): WebhookSourceBody {
  if (!isSourceName(name)) throw new RouseError("BAD_REQUEST", `--webhooks: ${path}: "${name}" cannot name a source`)
  const parsed = webhookSourceBody.safeParse(value)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const field = [name, ...(issue?.path ?? [])].join(".")
  throw new RouseError("BAD_REQUEST", `--webhooks: ${path}: ${field}: ${issue?.message ?? "is not valid"}`)
}
