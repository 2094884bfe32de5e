import { createHash } from "node:crypto"
import { type EntityUrl, RouseError } from "@rouse/protocol"
import type { EntityDraft } from "../core/draft.ts"
import { readAttachment } from "../attachments.ts"
import type { Plane } from "../plane.ts"

/** Bytes of an attachment on one line, before base64. */
const PIECE_BYTES = 262_144

/** An attachment's bytes, piece by piece, in base64; none when it is not there. */
export async function* attachmentIn(plane: Plane, url: EntityUrl, id: string): AsyncGenerator<string> {
  const text = await readAttachment(plane, url, id)
  const bytes = Buffer.from(text ?? "")
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES).toString("base64")
}

/** @throws {RouseError} `BAD_REQUEST` when the bytes are not those of the name. */
export function attachAgain(entity: EntityDraft, id: string, pieces: readonly string[]): void {
  const bytes = Buffer.concat(pieces.map((piece) => Buffer.from(piece, "base64")))
  if (createHash("sha256").update(bytes).digest("hex") !== id)
    throw new RouseError("BAD_REQUEST", `attachment: what the bundle has of "${id}" is not its bytes`)
  entity.attach(id, bytes.toString())
}
