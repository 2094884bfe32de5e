import type { Offset } from "@rouse/protocol"

/**
 * Server-sent events, in bytes: batches are never decoded on their way out.
 *
 * @see Durable Streams Protocol §5.7
 */

const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
/** Bytes turned to characters at a time; a multiple of three, so that base64 needs no padding between. */
const BASE64_SLICE_BYTES = 0x6000

const encoder = new TextEncoder()
const DATA_EVENT = encoder.encode("event: data\n")
const DATA_LINE = encoder.encode("data:")
const END = encoder.encode("\n\n")

/** A line that keeps a connection open and that every reader ignores. */
export const HEARTBEAT: Uint8Array = encoder.encode(":\n\n")

/**
 * The event that carries a batch. Each of the payload's lines gets its own `data:` line, so that no payload can end the event or begin
 * another. A reader takes one space away after the colon: a line that begins with a space gets one more.
 */
export function dataEvent(payload: Uint8Array): Uint8Array {
  const lines = splitLines(payload)
  const length = lines.reduce((sum, line) => sum + DATA_LINE.length + line.length + 2, DATA_EVENT.length + END.length)
  const event = new Uint8Array(length)
  event.set(DATA_EVENT)
  let at = DATA_EVENT.length
  for (const [index, line] of lines.entries()) {
    if (index > 0) event[at++] = LF
    event.set(DATA_LINE, at)
    at += DATA_LINE.length
    if (line[0] === SPACE) event[at++] = SPACE
    event.set(line, at)
    at += line.length
  }
  event.set(END, at)
  return event.subarray(0, at + END.length)
}

/** The lines of a payload. CR LF, CR and LF all end one. */
function splitLines(payload: Uint8Array): Uint8Array[] {
  if (!payload.includes(LF) && !payload.includes(CR)) return [payload]
  const lines: Uint8Array[] = []
  let start = 0
  for (let at = 0; at < payload.length; at++) {
    if (payload[at] !== LF && payload[at] !== CR) continue
    lines.push(payload.subarray(start, at))
    if (payload[at] === CR && payload[at + 1] === LF) at++
    start = at + 1
  }
  lines.push(payload.subarray(start))
  return lines
}

/** Where a reader stands after the events before it. */
export interface Control {
  readonly next: Offset
  readonly cursor: number
  readonly upToDate: boolean
  /** The stream is closed and the reader has all of it: the last event. */
  readonly closed: boolean
}

/** The event that follows every batch. A closed stream's has no cursor, because there is nothing to come back for. */
export function controlEvent(control: Control): string {
  const fields = control.closed
    ? { streamNextOffset: control.next, streamClosed: true }
    : {
        streamNextOffset: control.next,
        streamCursor: String(control.cursor),
        ...(control.upToDate ? { upToDate: true } : {}),
      }
  return `event: control\ndata:${JSON.stringify(fields)}\n\n`
}

/** Bytes that are not text, in the form that an event can carry. */
export function base64(bytes: Uint8Array): Uint8Array {
  let text = ""
  for (let at = 0; at < bytes.length; at += BASE64_SLICE_BYTES) {
    text += btoa(String.fromCharCode(...bytes.subarray(at, at + BASE64_SLICE_BYTES)))
  }
  return encoder.encode(text)
}
