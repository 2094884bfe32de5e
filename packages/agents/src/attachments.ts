import { RouseError } from "@rouse/protocol"
import type { AttachmentRow, Json, ToolCallRow } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import type { Session } from "./session.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

/** A result up to this length is in the prompt as it is, in UTF-16 code units: about 8,000 tokens. */
const INLINE_CHARS_MAX = 32_000
/** What the prompt shows of a longer one. */
const PREVIEW_CHARS = 4_000
/** What is kept of a result at all: the rest is cut. */
const ATTACHMENT_CHARS_MAX = 8_000_000
/** What one call of `read_attachment` may return: below `INLINE_CHARS_MAX`, so that it is not attached again. */
const READ_CHARS_MAX = 16_000
const ID_CHARS = 64

/**
 * A tool's result as the prompt may hold it. A large one becomes an attachment, in the commit that holds the result, and a preview with
 * its name. The same text has the same name, so that a call that runs again attaches nothing twice.
 */
export async function attached(session: Session, call: ToolCallRow, result: Json): Promise<Json> {
  const output = session.vault.value(result)
  const whole = typeof output === "string" ? output : JSON.stringify(output)
  if (whole.length <= INLINE_CHARS_MAX) return output
  const preview = whole.slice(0, PREVIEW_CHARS)
  if (session.readAttachment === undefined) return `${preview}\n[cut: the output has ${whole.length} characters]`
  const text = whole.slice(0, ATTACHMENT_CHARS_MAX)
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
  const lost = whole.length > text.length ? `, of which ${text.length} are kept` : ""
  return (
    `${preview}\n[cut: the output has ${whole.length} characters${lost}. It is attachment ${id}: ` +
    `read_attachment returns a part of it, from an offset such as ${PREVIEW_CHARS}]`
  )
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
