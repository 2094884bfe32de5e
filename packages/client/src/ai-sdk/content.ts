import type { Json } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { FileUIPart, UIMessage } from "ai"
import type { FileInput } from "../attachments.ts"

/** What a person wrote in a chat, as a message for an agent: the text, and the files that come with it. */
export interface Outgoing {
  readonly content: Json
  readonly files: readonly FileInput[]
}

/** @throws {RouseError} `BAD_REQUEST` for a file whose bytes are not in the message. */
export function outgoing(message: UIMessage): Outgoing {
  const texts = message.parts.flatMap((part) => (part.type === "text" ? [part.text] : []))
  const files = message.parts.filter((part): part is FileUIPart => part.type === "file")
  return { content: texts.join("\n"), files: files.map(fileOf) }
}

const DATA_URL = /^data:([^,;]*)((?:;[^,;]*)*),(.*)$/s

function fileOf({ url, mediaType, filename }: FileUIPart): FileInput {
  const [, , parameters = "", data] = DATA_URL.exec(url) ?? []
  if (data === undefined)
    throw new RouseError("BAD_REQUEST", "files: a file is sent as a data URL, as the chat makes of a chosen file")
  const content = parameters.endsWith(";base64") ? bytesOf(data) : new TextEncoder().encode(decodeURIComponent(data))
  return { content, mediaType, ...(filename !== undefined && { name: filename }) }
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.codePointAt(0) ?? 0)
}
