import type { AttachmentInfo } from "@rouse/protocol"
import { createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { resolve } from "node:path"
import { pipeline } from "node:stream/promises"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import { usage } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { bytesText } from "../output/bytes.ts"
import { table } from "../output/table.ts"
import { printable } from "../output/text.ts"

export interface AttachmentsFlags extends RemoteOptions {
  readonly output?: string
  readonly delete?: boolean
}

/** `rouse attachments </type/id> [id]` */
export async function attachments(
  address: string,
  id: string | undefined,
  flags: AttachmentsFlags,
  io: Io,
): Promise<void> {
  const { url } = parseAddress(address)
  const client = connect(flags, io)
  if (id === undefined) {
    if (flags.output !== undefined || flags.delete === true) throw usage("say which: rouse attachments /type/id <id>")
    const list = await client.attachments(url, { signal: io.stop })
    io.out(flags.json === true ? list.map((info) => `${JSON.stringify(info)}\n`).join("") : listText(list, url, io))
    return
  }
  if (flags.delete === true) return client.deleteAttachment(url, id, { signal: io.stop })
  if (flags.output === undefined) throw usage("say where to: --output <file>")
  const response = await client.attachment(url, id, { signal: io.stop })
  const file = resolve(io.cwd, flags.output)
  try {
    if (response.body !== null)
      await pipeline(response.body as AsyncIterable<Uint8Array>, createWriteStream(file, { flags: "wx" }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw usage(`--output: ${flags.output} is there already`)
    await rm(file, { force: true })
    throw error
  }
}

function listText(list: readonly AttachmentInfo[], url: string, io: Io): string {
  if (list.length === 0) return `${io.color.dim(`${url} has no attachments`)}\n`
  const columns = [
    {
      title: "NAME",
      cell: (info: AttachmentInfo) => printable(info.name),
      paint: (text: string) => io.color.bold(text),
    },
    { title: "TYPE", cell: (info: AttachmentInfo) => info.mediaType },
    { title: "SIZE", cell: (info: AttachmentInfo) => bytesText(info.size) },
    { title: "ID", cell: (info: AttachmentInfo) => info.id },
  ]
  return `${table(list, columns, { columnsMax: io.columns(), paintTitle: (text: string) => io.color.dim(text) })}\n`
}
