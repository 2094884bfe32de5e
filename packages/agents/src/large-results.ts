import type { AttachmentRow, Json, ToolCallRow } from "@rouse/protocol"
import { cutOutput, resultLabel } from "./core/cut-output.ts"
import type { Session } from "./session.ts"

/**
 * A tool's result as the prompt may hold it. A large one becomes an attachment, in the commit that holds the result, and a preview with
 * its name. The same text has the same name, so that a call that runs again attaches nothing twice.
 */
export async function attached(session: Session, call: ToolCallRow, result: Json): Promise<Json> {
  const output = session.vault.value(result)
  const cut = cutOutput(typeof output === "string" ? output : JSON.stringify(output))
  if (cut === undefined) return output
  if (session.attachments === undefined) return cut.bare
  const { text } = cut
  const bytes = new TextEncoder().encode(text)
  const id = await digestOf(bytes)
  const [name, mediaType] = resultLabel(call.name, output)
  session.writer.batch.attachments.push({ id, text, name, mediaType })
  session.put("attachment", id, {
    type: "attachment",
    id,
    name,
    mediaType,
    size: bytes.length,
    run: session.run,
    call: call.id,
    at: session.now(),
  } satisfies AttachmentRow)
  return cut.preview(id)
}

async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest("SHA-256", bytes)
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
