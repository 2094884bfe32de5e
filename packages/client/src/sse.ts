import { RouseError } from "@rouse/protocol"
import type { EventSourceMessage } from "eventsource-parser"
import { createParser } from "eventsource-parser"
import { unreachableError } from "./core/problem.ts"

/** The longest event that is read, in characters. */
const EVENT_CHARS_MAX = 32 * 1024 * 1024
/** The server sends at least a comment every 15 s; a connection that is silent for this long is dead. */
const SILENCE_MS_MAX = 45_000

/**
 * The events of a server-sent event stream, in order. Ends when the stream does.
 *
 * @throws {RouseError} With `details.unreachable` when the connection is cut or falls silent.
 */
export async function* readEvents(response: Response): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = []
  const parser = createParser({ maxBufferSize: EVENT_CHARS_MAX, onEvent: (event) => events.push(event) })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (!reader) return
  try {
    for (;;) {
      const { done, value } = await readAlive(reader, response.url)
      if (done) return
      parser.feed(value)
      yield* events.splice(0)
    }
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}

/** The data of an event, which must be JSON. */
export function eventData(event: EventSourceMessage): unknown {
  try {
    return JSON.parse(event.data)
  } catch (cause) {
    throw new RouseError("INTERNAL", `the server sent an event "${event.event}" that is not JSON`, { cause })
  }
}

async function readAlive(
  reader: ReadableStreamDefaultReader<string>,
  url: string,
): Promise<ReadableStreamReadResult<string>> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`silent for ${SILENCE_MS_MAX} ms`)), SILENCE_MS_MAX)
  })
  try {
    return await Promise.race([reader.read(), silence])
  } catch (cause) {
    throw unreachableError(url, cause)
  } finally {
    clearTimeout(timer)
  }
}
