import { RouseError } from "@rouse/protocol"

/** One line of a bundle. */
const LINE_BYTES_MAX = 67_108_864

/**
 * The lines of a body, as they come, each with its bytes: the line feed is part of them.
 *
 * @throws {RouseError} `TOO_LARGE` for a line over 64 MiB; `BAD_REQUEST` when the last one is not ended.
 */
export async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      yield Buffer.concat([...held, chunk.subarray(from, end + 1)])
      held = []
      length = 0
      from = end + 1
    }
    if (from === chunk.length) continue
    held.push(chunk.subarray(from))
    length += chunk.length - from
    if (length > LINE_BYTES_MAX) throw new RouseError("TOO_LARGE", `the bundle has a line over ${LINE_BYTES_MAX} bytes`)
  }
  if (length > 0) throw new RouseError("BAD_REQUEST", "the bundle was cut off in the middle of a line")
}

/** The first line, without which nothing is known, and all of them. */
export async function peek(
  lines: AsyncGenerator<Buffer>,
): Promise<{ readonly first: Buffer | undefined; readonly all: AsyncIterable<Buffer> }> {
  const { value, done } = await lines.next()
  const first = done === true ? undefined : value
  async function* all(): AsyncGenerator<Buffer> {
    if (first !== undefined) yield first
    yield* lines
  }
  return { first, all: all() }
}
