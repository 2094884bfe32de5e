import { expect, test } from "vitest"
import { readDelivery } from "../src/remote/read-delivery.ts"

const TEXT = JSON.stringify({ kind: "wake", text: "größer".repeat(10_000) })

function post(body: BodyInit, headers: Record<string, string>): Request {
  return new Request("http://handler/", { method: "POST", body, headers, duplex: "half" } as RequestInit)
}

function stream(pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      controller.close()
    },
  })
}

test("a delivery is read whole, whether or not it says how long it is", async () => {
  const bytes = new TextEncoder().encode(TEXT)
  const pieces = [bytes.subarray(0, 1_001), bytes.subarray(1_001, 1_002), bytes.subarray(1_002)]
  for (const request of [
    post(TEXT, { "content-length": String(bytes.length) }),
    post(stream(pieces), {}),
    post(stream(pieces), { "content-length": "many" }),
  ])
    expect(new TextDecoder().decode(await readDelivery(request))).toBe(TEXT)
})

test("one that is too large is refused: by what it says, and by what comes", async () => {
  const said = post("{}", { "content-length": String(65 * 1_048_576) })
  await expect(readDelivery(said)).rejects.toMatchObject({ code: "TOO_LARGE" })
  const mebibyte = new Uint8Array(1_048_576)
  const comes = post(stream(Array.from({ length: 65 }, () => mebibyte)), {})
  await expect(readDelivery(comes)).rejects.toMatchObject({ code: "TOO_LARGE" })
})
