import type { ChangeEvent, Json, MessageRow, Offset, Receipt } from "@rouse/protocol"
import { isPassing, problemError, unreachableError } from "./core/problem.ts"
import { observe } from "./log.ts"
import { isSettled, messageCall, sendBody, waitFor } from "./messages.ts"
import { eventData, readEvents } from "./sse.ts"
import type { Call, Transport } from "./transport.ts"
import type { SendOptions, StreamEvent } from "./types.ts"

/**
 * A send whose consequences are told as they happen.
 *
 * 1. The message is sent with one idempotency key, however often the request is repeated.
 * 2. A change is told once. `base` is the last offset of which all changes were told; `told` counts those told after it. Several
 *    changes may share an offset, and a cut may fall between them: the next reader starts at `base` and passes over `told`.
 * 3. Until a `base` is known, the request itself is repeated: it tells the same changes from the first. Then the log is read.
 */
interface Progress {
  receipt?: Receipt
  base?: Offset
  at?: Offset
  told: number
  /** The change that settles the message was told. */
  settling: boolean
}

export async function* streamReply(
  transport: Transport,
  url: string,
  content: Json,
  options: SendOptions,
): AsyncGenerator<StreamEvent> {
  const call = { ...messageCall(transport, url, options), body: sendBody(content, options) }
  const progress: Progress = { told: 0, settling: false }
  for (let failures = 1; ; failures++) {
    let failure: unknown = unreachableError(transport.url, "the connection ended before the message was settled")
    const before = { ...progress }
    try {
      const repeats = progress.base === undefined
      const source = repeats ? fromRequest(transport, call, progress) : fromLog(transport, url, call, progress)
      for await (const event of source) {
        yield event
        if (event.kind === "settled") return
      }
    } catch (error) {
      options.signal?.throwIfAborted()
      if (!isPassing(error)) throw error
      failure = error
    }
    if (progress.at !== before.at || progress.told !== before.told) failures = 1
    await transport.pause(failures, failure, options.signal)
  }
}

async function* fromRequest(transport: Transport, call: Call, progress: Progress): AsyncGenerator<StreamEvent> {
  const response = await transport.open({ ...call, accept: "text/event-stream" })
  let pass = progress.told
  for await (const message of readEvents(response)) {
    if (message.event === "accepted" && !progress.receipt) {
      progress.receipt = eventData<Receipt>(message)
      yield { kind: "accepted", receipt: progress.receipt }
    }
    if (message.event === "change" && pass-- <= 0) yield told(progress, eventData(message), message.id)
    if (message.event === "settled") yield { kind: "settled", settled: eventData(message) }
    if (message.event === "error") throw problemError(500, eventData(message))
  }
}

async function* fromLog(
  transport: Transport,
  url: string,
  call: Call,
  progress: Progress,
): AsyncGenerator<StreamEvent> {
  let pass = progress.told
  if (!progress.settling) {
    for await (const batch of observe(transport, url, { from: progress.base, signal: call.signal })) {
      const fresh = batch.events.slice(pass)
      pass = Math.max(0, pass - batch.events.length)
      for (const event of fresh) yield { kind: "change", event, offset: batch.offset }
      const settling = fresh.some((event) => settles(event, progress))
      Object.assign(progress, { base: batch.offset, at: batch.offset, told: pass, settling })
      if (settling) break
    }
  }
  call.signal?.throwIfAborted()
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

function settles(event: ChangeEvent, { receipt }: Progress): boolean {
  if (event.type !== "message" || event.key !== receipt?.message) return false
  const row = event.value as MessageRow | undefined
  return row !== undefined && row.status !== "accepted" && row.status !== "taken"
}
