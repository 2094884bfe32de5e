import { createReadStream, createWriteStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress } from "../core/arguments.ts"
import type { Io } from "../io.ts"

export interface ExportFlags extends RemoteOptions {
  readonly tree?: boolean
  readonly output?: string
}

const SPACE = /^shared\/(.*)$/

/** `rouse export </type/id>`, `rouse export shared/<id>`: the bundle on standard output, or in a file. Takes no more memory for a large one. */
export async function exportBundle(address: string, { tree, output, ...flags }: ExportFlags, io: Io): Promise<void> {
  const client = connect(flags, io)
  const [, space] = SPACE.exec(address) ?? []
  const stream =
    space === undefined
      ? await client.export(parseAddress(address).url, { tree, signal: io.stop })
      : await client.shared(space).export({ signal: io.stop })
  const body = Readable.from(chunksOf(stream))
  if (output !== undefined) return pipeline(body, createWriteStream(output, { flags: "wx" }))
  const decoder = new TextDecoder()
  for await (const chunk of body) io.out(decoder.decode(chunk as Uint8Array, { stream: true }))
}

export interface ImportFlags extends RemoteOptions {
  readonly as?: string
  readonly run?: boolean
}

/** `rouse import <file>`. Prints the addresses; with `--json`: the answer. */
export async function importBundle(file: string, { as, run, ...flags }: ImportFlags, io: Io): Promise<void> {
  const input = file === "-" ? process.stdin : createReadStream(file)
  const bundle = Readable.toWeb(input) as unknown as ReadableStream<Uint8Array>
  const to = as === undefined ? undefined : SPACE.test(as) ? (as as `shared/${string}`) : parseAddress(as).url
  const imported = await connect(flags, io).import(bundle, { as: to, run, signal: io.stop })
  if (flags.json === true) return io.out(`${JSON.stringify(imported)}\n`)
  if (imported.space !== undefined) io.out(`shared/${imported.space} ${io.color.dim(`${imported.rows} rows`)}\n`)
  for (const url of Object.values(imported.entities))
    io.out(imported.paused.includes(url) ? `${url} ${io.color.dim("paused: rouse signal it resume")}\n` : `${url}\n`)
}

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value
}
