import { RouseError } from "@rouse/protocol"
import type { AttachmentRow, Json, ToolCallRow } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { cutOutput } from "./core/cut-output.ts"
import type { Session } from "./session.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

/** What one call of `read_attachment` may return: below what is cut, so that it is not attached again. */
const READ_CHARS_MAX = 16_000
const ID_CHARS = 64

/**
 * A tool's result as the prompt may hold it. A large one becomes an attachment, in the commit that holds the result, and a preview with
 * its name. The same text has the same name, so that a call that runs again attaches nothing twice.
 */
export async function attached(session: Session, call: ToolCallRow, result: Json): Promise<Json> {
  const output = session.vault.value(result)
  const whole = typeof output === "string" ? output : JSON.stringify(output)
  const cut = cutOutput(whole)
  if (cut === undefined) return output
  if (session.readAttachment === undefined) return cut.bare
  const { text } = cut
  const id = await digestOf(text)
  session.writer.batch.attachments.push({ id, text })
  session.put("attachment", id, {
    id,
    run: session.run,
    call: call.id,
    contentType: typeof output === "string" ? "text/plain" : "application/json",
    chars: text.length,
    at: session.now(),
  } satisfies AttachmentRow)
  return cut.preview(id)
}

/** The platform's tool that reads what `attached` put aside. */
export function readAttachmentTool(session: Session): Tool {
  return tool({
    name: "read_attachment",
    description: `Read a part of a large tool result that was cut, by its attachment id. At most ${READ_CHARS_MAX} characters a call.`,
    input: INPUT,
    inputSchema: {
      type: "object",
      properties: {
        id: { type: "string", description: "The attachment's id" },
        offset: { type: "integer", minimum: 0, description: "The first character to return; 0 when left out" },
        limit: { type: "integer", minimum: 1, description: "How many characters to return" },
      },
      required: ["id"],
      additionalProperties: false,
    },
    effect: "pure",
    execute: async ({ id, offset = 0, limit = READ_CHARS_MAX }) => {
      const text = await session.readAttachment?.(id)
      if (text === undefined) throw new RouseError("NOT_FOUND", `there is no attachment ${JSON.stringify(id)}`)
      const end = Math.min(text.length, offset + Math.min(limit, READ_CHARS_MAX))
      return { text: text.slice(offset, end), offset, next: end < text.length ? end : null, length: text.length }
    },
  })
}

interface ReadInput {
  readonly id: string
  readonly offset?: number
  readonly limit?: number
}

const INPUT: StandardSchemaV1<ReadInput, ReadInput> = {
  "~standard": {
    version: 1,
    vendor: "rouse",
    validate: (value) => {
      const { id, offset, limit } = (typeof value === "object" && value !== null ? value : {}) as Record<
        string,
        unknown
      >
      if (typeof id !== "string" || id.length !== ID_CHARS)
        return { issues: [{ message: `must be ${ID_CHARS} hexadecimal digits`, path: ["id"] }] }
      for (const [name, count] of Object.entries({ offset, limit })) {
        if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= (name === "limit" ? 1 : 0)))
          return { issues: [{ message: "must be a whole number", path: [name] }] }
      }
      return { value: value as ReadInput }
    },
  },
}

async function digestOf(text: string): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
