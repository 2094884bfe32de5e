import { RouseError, isTextual, isVisual } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { attachmentsOf, readText } from "./attachments.ts"
import type { Session } from "./session.ts"
import { schemaOf } from "./core/validate.ts"
import { tool } from "./tool.ts"
import type { Tool } from "./tool.ts"

/** What one call of `read_attachment` may return: below what a result may have, so that it is not attached again. */
const READ_CHARS_MAX = 16_000
const ID_CHARS = 64

/** The platform's tool that reads files of messages, what tools put aside, and large results. */
export function readAttachmentTool(session: Session): Tool {
  return tool({
    name: "read_attachment",
    description: `Read an attachment, by its id: a part of a text, at most ${READ_CHARS_MAX} characters a call, or an image or PDF as it is.`,
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
      const found = await attachmentsOf(session).get(id)
      if (found === undefined) throw new RouseError("NOT_FOUND", `there is no attachment ${JSON.stringify(id)}`)
      const { type, name, mediaType, size } = found
      if (isTextual(mediaType)) return await readText(await found.stream(), offset, Math.min(limit, READ_CHARS_MAX))
      if (isVisual(mediaType)) return { type, id, name, mediaType, size }
      throw new RouseError("INVALID_ARGS", `${name} is ${mediaType}: it cannot be read as text, or shown`)
    },
  })
}

interface ReadInput {
  readonly id: string
  readonly offset?: number
  readonly limit?: number
}

const INPUT: StandardSchemaV1<ReadInput, ReadInput> = schemaOf<ReadInput>((value) => {
  const { id, offset, limit } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>
  if (typeof id !== "string" || id.length !== ID_CHARS)
    return { issues: [{ message: `must be ${ID_CHARS} hexadecimal digits`, path: ["id"] }] }
  for (const [name, count] of Object.entries({ offset, limit })) {
    if (count !== undefined && !(Number.isSafeInteger(count) && (count as number) >= (name === "limit" ? 1 : 0)))
      return { issues: [{ message: "must be a whole number", path: [name] }] }
  }
  return { value: value as ReadInput }
})
