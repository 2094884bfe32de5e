import type { ChangeEvent, EntityDetail, Json, MessageRow, Offset, Receipt, Settled } from "@rouse/protocol"
import { throwIfAborted } from "./clock.ts"
import { entityPath } from "./core/address.ts"
import { isPassing, problemError, unreachableError } from "./core/problem.ts"
import { observe } from "./log.ts"
import { isSettled, messageCall, sendBody, waitFor } from "./messages.ts"
import { eventData, readEvents } from "./sse.ts"
import type { Call, Transport } from "./transport.ts"
import type { SendOptions, StreamEvent } from "./messages.ts"

/**
 * A send whose consequences are told as they happen.
 *
 * 1. The message is sent with one idempotency key, however often the request is repeated until its receipt comes.
 * 2. The changes told are those of the log after the receipt's offset, in order, each once.
 * 3. `base` is the last offset of which all changes were told; `told` counts those told after it. Several changes may share an
 *    offset, and a cut may fall between them: the next reader starts at `base` and passes over `told`.
 */
interface Progress {
  receipt?: Receipt
  base?: Offset
  at?: Offset
  told: number
  /** The change that settles the message was told. */
  settling: boolean
  /** What stands before the message is passed over, for it was not told yet. */
  seeking: boolean
}

export async function* streamReply(
  transport: Transport,
  url: string,
  content: Json,
  options: SendOptions,
): AsyncGenerator<StreamEvent> {
  const call = { ...messageCall(transport, url, options), body: sendBody(content, options) }
  const progress: Progress = { told: 0, settling: false, seeking: false }
  for (let failures = 1; ; failures++) {
    let failure: unknown = unreachableError(transport.url, "the connection ended before the message was settled")
    const before = { ...progress }
    try {
      if (!progress.receipt && !transport.streams()) yield await accepted(transport, url, call, progress)
      const source = progress.receipt ? fromLog(transport, call, progress) : fromRequest(transport, call, progress)
      for await (const event of source) {
        yield event
        if (event.kind === "settled") return
      }
    } catch (error) {
      throwIfAborted(options.signal)
      if (!isPassing(error)) throw error
      failure = error
    }
    if (progress.at !== before.at || progress.told !== before.told) failures = 1
    await transport.pause(failures, failure, options.signal)
  }
}

/** Sends the message where the reply cannot be streamed: it is read from the log, from before the message on. */
async function accepted(transport: Transport, url: string, call: Call, progress: Progress): Promise<StreamEvent> {
  progress.base ??= (await transport.json<EntityDetail>({ path: entityPath(url), signal: call.signal })).offset
  const receipt = await transport.json<Receipt>(call)
  progress.receipt = receipt
  progress.seeking = true
  return { kind: "accepted", receipt: { ...receipt, offset: progress.base } }
}

async function* fromRequest(transport: Transport, call: Call, progress: Progress): AsyncGenerator<StreamEvent> {
  const response = await transport.open({ ...call, accept: "text/event-stream" })
  for await (const message of readEvents(response)) {
    const data = eventData(message)
    if (message.event === "accepted") {
      const receipt = data as Receipt
      Object.assign(progress, { receipt, base: receipt.offset })
      yield { kind: "accepted", receipt }
    }
    if (message.event === "change") yield told(progress, data as ChangeEvent, message.id)
    if (message.event === "settled") yield { kind: "settled", settled: data as Settled }
    if (message.event === "error") throw problemError(500, data)
  }
}

async function* fromLog(transport: Transport, call: Call, progress: Progress): AsyncGenerator<StreamEvent> {
  const { signal } = call
  let pass = progress.told
  if (!progress.settling && progress.receipt) {
    for await (const batch of observe(transport, progress.receipt.url, { from: progress.base, signal })) {
      const start = progress.seeking ? batch.events.findIndex((event) => isMessage(event, progress)) : pass
      const fresh = start < 0 ? [] : batch.events.slice(start)
      if (start >= 0) progress.seeking = false
      pass = Math.max(0, pass - batch.events.length)
      for (const event of fresh) yield { kind: "change", event, offset: batch.offset }
      const settling = fresh.some((event) => settles(event, progress))
      Object.assign(progress, { base: batch.offset, at: batch.offset, told: pass, settling })
      if (settling) break
    }
  }
  throwIfAborted(signal)
  const settled = await waitFor(transport, call, 0)
  if (isSettled(settled)) yield { kind: "settled", settled }
}

/** Notes that a change is told, and where the log stands. */
function told(progress: Progress, event: ChangeEvent, id: string | undefined): StreamEvent {
  const offset = id === undefined || id === "" ? undefined : (id as Offset)
  if (offset !== undefined && progress.at !== undefined && offset !== progress.at) {
    progress.base = progress.at
    progress.told = 0
  }
  if (offset !== undefined) progress.at = offset
  progress.told++
  progress.settling ||= settles(event, progress)
  return { kind: "change", event, ...(offset !== undefined && { offset }) }
}

function isMessage(event: ChangeEvent, { receipt }: Progress): boolean {
  return event.type === "message" && event.key === receipt?.message
}

function settles(event: ChangeEvent, progress: Progress): boolean {
  if (!isMessage(event, progress)) return false
  const row = event.value as MessageRow | undefined
  return row !== undefined && row.status !== "accepted" && row.status !== "taken"
}
