/** One event of a stream, or a comment. */
export interface SseEvent {
  readonly event: string
  readonly data: string
}

/** Reads a response's events one write at a time. */
export class SseClient {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>

  constructor(response: Response) {
    if (response.body === null) throw new Error("the response has no body")
    this.#reader = response.body.getReader()
  }

  /** The events of the next write; undefined at the end. */
  async write(): Promise<readonly SseEvent[] | undefined> {
    const { done, value } = await this.#reader.read()
    return done ? undefined : parseEvents(new TextDecoder().decode(value))
  }

  async raw(): Promise<Uint8Array | undefined> {
    return (await this.#reader.read()).value
  }

  cancel(): Promise<void> {
    return this.#reader.cancel()
  }
}

/** Every event of a text that ends with one. */
export function parseEvents(text: string): readonly SseEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      const lines = block.split("\n")
      const field = (name: string): string[] =>
        lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length).replace(/^ /, ""))
      return { event: field("event:")[0] ?? "", data: field("data:").join("\n") }
    })
}

/** What a control event says. */
export function control(event: SseEvent | undefined): Record<string, unknown> {
  return event?.event === "control" ? (JSON.parse(event.data) as Record<string, unknown>) : {}
}
