import { applyChange, emptyTimeline, statusOf } from "@rouse/client"
import type { Client, SendOptions, StreamEvent } from "@rouse/client"
import type { AttachmentInfo, EntityUrl, Json, MessageMode, Settled } from "@rouse/protocol"
import { typeByName } from "@rouse/protocol/media-types"
import { openAsBlob } from "node:fs"
import { basename, resolve } from "node:path"
import { connect } from "../connect.ts"
import type { RemoteOptions } from "../connect.ts"
import { parseAddress, parseJson } from "../core/arguments.ts"
import { usage } from "../core/failure.ts"
import type { ExitCode } from "../core/failure.ts"
import type { Io } from "../io.ts"
import { orSpawn } from "./or-spawn.ts"
import { Screen } from "../output/screen.ts"
import { printable, textOf } from "../output/text.ts"
import { advance, lastText } from "../output/transcript.ts"
import type { Shown } from "../output/transcript.ts"

export interface SendFlags extends RemoteOptions {
  readonly mode?: MessageMode
  readonly wait: boolean
  readonly content?: string
  readonly attach?: readonly string[]
}

/** `rouse send [/type/id] [message]`. Without a message, where a person types: a conversation. */
export async function send(
  address: string | undefined,
  message: string | undefined,
  flags: SendFlags,
  io: Io,
): Promise<ExitCode> {
  const isSaid = message !== undefined || flags.content !== undefined || flags.attach !== undefined
  if (!isSaid && flags.json !== true && io.terminal?.input)
    return await (await import("./converse.ts")).converseWith(address, flags, io)
  if (address === undefined) throw usage('say to whom: rouse send /type/id "hello"')
  const { url, type } = parseAddress(address)
  const content = await contentOf(message, flags, io)
  const client = connect(flags, io)
  const attachments = await uploaded(flags.attach ?? [], io, (file, named) =>
    orSpawn(client, url, type, flags, io, () => client.upload(url, file, { ...named, signal: io.stop })),
  )
  const options: SendOptions = { mode: flags.mode, idempotencyKey: io.uuid(), signal: io.stop, attachments }
  if (flags.wait) return stream({ client, url, type, content, options, flags, io })
  const receipt = await orSpawn(client, url, type, flags, io, () => client.send(url, content, options))
  io.out(flags.json === true ? `${JSON.stringify(receipt)}\n` : `accepted ${receipt.message}\n`)
  return 0
}

/** Ids of files that were uploaded, one after the other. */
async function uploaded(
  paths: readonly string[],
  io: Io,
  upload: (file: Blob, named: { readonly name: string; readonly mediaType: string }) => Promise<AttachmentInfo>,
): Promise<readonly string[]> {
  const ids: string[] = []
  for (const path of paths) {
    const name = basename(path)
    const file = await opened(resolve(io.cwd, path))
    if (file === undefined) throw usage(`--attach: ${path} cannot be read`)
    ids.push((await upload(file, { name, mediaType: typeByName(name) ?? "application/octet-stream" })).id)
  }
  return ids
}

/** A file as a blob that is read as it is sent; undefined when it cannot be. */
async function opened(path: string): Promise<Blob | undefined> {
  try {
    return await openAsBlob(path)
  } catch {
    // Not there, or a directory: the caller says which.
    return undefined
  }
}

async function contentOf(message: string | undefined, flags: SendFlags, io: Io): Promise<Json> {
  if (flags.content !== undefined) {
    if (message !== undefined) throw usage("give a message or --content, not both")
    return parseJson("--content", flags.content)
  }
  if (message !== undefined && message !== "-") return message
  if (message === undefined && flags.attach !== undefined) return ""
  if (message === undefined && io.stdinIsTty) throw usage('there is no message: rouse send /type/id "hello"')
  const text = (await io.stdin()).replace(/\r?\n$/, "")
  if (text === "") throw usage("there is no message: standard input was empty")
  return text
}

interface Sending {
  readonly client: Client
  readonly url: EntityUrl
  readonly type: string
  readonly content: Json
  readonly options: SendOptions
  readonly flags: SendFlags
  readonly io: Io
}

async function stream(sending: Sending): Promise<ExitCode> {
  const { client, url, type, content, options, flags, io } = sending
  const screen = new Screen(io, { split: true })
  try {
    const events = await orSpawn(client, url, type, flags, io, async () => {
      const iterator = client.stream(url, content, options)
      return { first: await iterator.next(), rest: iterator }
    })
    const settled = flags.json === true ? await printLines(events, io) : await printReply(events, screen, url)
    screen.rest()
    return settled === undefined ? interrupted(url, io) : outcome(settled, io)
  } catch (error) {
    screen.rest()
    if (io.stop.aborted) return interrupted(url, io)
    throw error
  }
}

interface Events {
  readonly first: IteratorResult<StreamEvent>
  readonly rest: AsyncIterableIterator<StreamEvent>
}

async function* all({ first, rest }: Events): AsyncGenerator<StreamEvent> {
  if (first.done === true) return
  yield first.value
  yield* rest
}

async function printLines(events: Events, io: Io): Promise<Settled | undefined> {
  for await (const event of all(events)) {
    io.out(`${JSON.stringify(event)}\n`)
    if (event.kind === "settled") return event.settled
  }
  return undefined
}

/** Prints the reply as it is written. What the run replies without having written it as text is printed at the end. */
async function printReply(events: Events, screen: Screen, url: EntityUrl): Promise<Settled | undefined> {
  let timeline = emptyTimeline()
  let shown: Shown = new Map()
  screen.status("waiting")
  for await (const event of all(events)) {
    if (event.kind === "settled") {
      const { reply, run } = event.settled
      const isNew = reply !== null && textOf(reply) !== lastText(timeline, run)
      if (isNew) screen.write([{ kind: "text", key: "reply", text: printable(textOf(reply)) }])
      return event.settled
    }
    if (event.kind === "accepted") continue
    timeline = applyChange(timeline, event.event)
    const [next, pieces] = advance(shown, timeline, { url, streaming: true, messages: false, replies: false })
    shown = next
    screen.write(pieces)
    const activity = statusOf(timeline)
    screen.status(activity.busy ? activity.label : activity.kind === "approval" ? activity.label : undefined)
  }
  return undefined
}

function outcome(settled: Settled, io: Io): ExitCode {
  if (settled.status === "processed") return 0
  const what = settled.status === "dead" ? "the message could not be processed" : `the message was ${settled.status}`
  io.err(
    `${io.errColor.red("rouse:")} ${what}${settled.reason === undefined ? "" : `: ${printable(settled.reason).replace(/\s+/g, " ")}`}\n`,
  )
  return 1
}

function interrupted(url: EntityUrl, io: Io): ExitCode {
  io.err(
    `${io.errColor.dim(`stopped waiting; a message that was accepted is processed all the same: rouse watch ${url}`)}\n`,
  )
  return 130
}
