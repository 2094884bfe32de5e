import { RouseError, isVisual, OCTETS } from "@rouse/protocol"
import type { AttachmentInfo } from "@rouse/protocol"
import { FILE_BYTES_MAX } from "../core/files.ts"
import { nameOfPath, typeByName } from "@rouse/protocol/media-types"
import { tool } from "../tool.ts"
import type { Tool, ToolContext } from "../tool.ts"
import type { Workspace } from "./provider.ts"
import { inputOf } from "./schemas.ts"
import type { Place } from "./tools.ts"

/** Of a file that goes from a workspace to the agent's attachments, or the other way: it is in memory meanwhile. */
const CARRIED_BYTES_MAX = 33_554_432
const ID_CHARS = 64

/** Gives a file of the workspace to whoever reads the agent: a person, or another agent. */
export function attachTool(place: Place): Tool {
  return tool({
    name: place.named("attach_file"),
    description:
      "Attach a file of the workspace to this conversation, for a person to see or for another agent to be sent.",
    ...inputOf<{ readonly path: string }>({
      path: { type: "string", description: "Path of the file, relative to the workspace" },
    }),
    effect: "idempotent",
    backend: "sandbox",
    execute: async ({ path }, ctx) => {
      const bytes = await (await place.open(ctx)).read(path, CARRIED_BYTES_MAX)
      return await attached(path, bytes, ctx)
    },
  })
}

/** Puts an attachment of the agent's into the workspace. */
export function placeTool(place: Place): Tool {
  return tool({
    name: place.named("place_file"),
    description: "Write an attachment of this conversation to a file of the workspace, as it is.",
    ...inputOf<{ readonly id: string; readonly path: string }>({
      id: { type: "string", description: "The attachment's id", charsMax: ID_CHARS },
      path: { type: "string", description: "Path of the file, relative to the workspace" },
    }),
    effect: "idempotent",
    backend: "sandbox",
    parallel: false,
    execute: async ({ id, path }, ctx) => {
      const found = await ctx.attachments.get(id)
      if (found === undefined) throw new RouseError("NOT_FOUND", `there is no attachment ${JSON.stringify(id)}`)
      if (found.size > CARRIED_BYTES_MAX)
        throw new RouseError(
          "TOO_LARGE",
          `${found.name} has ${found.size} bytes, and ${CARRIED_BYTES_MAX} can be placed`,
        )
      await (await place.open(ctx)).write(path, await found.bytes())
      return { path, bytes: found.size }
    },
  })
}

/** An image or PDF, to be shown to the model; undefined for what is neither. */
export async function shown(workspace: Workspace, path: string, ctx: ToolContext): Promise<AttachmentInfo | undefined> {
  if (!isVisual(typeByName(path) ?? OCTETS)) return undefined
  return await attached(path, await workspace.read(path, FILE_BYTES_MAX), ctx)
}

async function attached(path: string, bytes: Uint8Array, { attachments }: ToolContext): Promise<AttachmentInfo> {
  const name = nameOfPath(path) ?? "file"
  return await attachments.put(bytes, {
    name,
    mediaType: typeByName(name) ?? (bytes.includes(0) ? OCTETS : "text/plain"),
  })
}
