import * as fc from "fast-check"
import { describe, expect, test } from "vitest"
import type { Offset } from "@rouse/protocol"
import { base64, controlEvent, dataEvent } from "../src/core/sse-frame.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { ignoreBOM: true })

/** Reads an event stream as the HTML standard says. */
function parse(text: string): { event: string; data: string }[] {
  const events: { event: string; data: string }[] = []
  let event = ""
  let data: string[] = []
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === "") {
      if (data.length > 0) events.push({ event, data: data.join("\n") })
      event = ""
      data = []
    } else if (line.startsWith("event:")) event = line.slice(6).replace(/^ /, "")
    else if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""))
  }
  return events
}

describe("§5.7 event framing", () => {
  test("gives each line its own field", () => {
    expect(decoder.decode(dataEvent(encoder.encode("a\nb\r\nc\rd")))).toBe(
      "event: data\ndata:a\ndata:b\ndata:c\ndata:d\n\n",
    )
    expect(decoder.decode(dataEvent(encoder.encode(" a\n b")))).toBe("event: data\ndata:  a\ndata:  b\n\n")
  })

  test("no payload escapes from its event", () => {
    const piece = fc.constantFrom(
      "\r",
      "\n",
      "\r\n",
      "event: control",
      "data: {}",
      ":",
      " ",
      "x",
      "ü",
      "\u0000",
      "\ufeff",
      "\u2028",
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const payload = pieces.join("")
        const events = parse(decoder.decode(dataEvent(encoder.encode(payload))))
        expect(events).toEqual([{ event: "data", data: payload.replace(/\r\n|\r/g, "\n") }])
      }),
    )
  })

  test("base64 carries any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(new Uint8Array(Buffer.from(decoder.decode(base64(bytes)), "base64"))).toEqual(bytes)
      }),
    )
    const large = new Uint8Array(100_001).map((_, index) => index % 251)
    expect(new Uint8Array(Buffer.from(decoder.decode(base64(large)), "base64"))).toEqual(large)
  })

  test("a control event says where to go on", () => {
    const at = { next: "o_1" as Offset, cursor: 7 }
    const parsed = (upToDate: boolean, closed: boolean) =>
      JSON.parse(parse(controlEvent({ ...at, upToDate, closed }))[0]?.data ?? "")
    expect(parsed(false, false)).toEqual({ streamNextOffset: "o_1", streamCursor: "7" })
    expect(parsed(true, false)).toEqual({ streamNextOffset: "o_1", streamCursor: "7", upToDate: true })
    expect(parsed(true, true)).toEqual({ streamNextOffset: "o_1", streamClosed: true })
  })
})
