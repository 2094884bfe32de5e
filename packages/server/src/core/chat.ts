import { type ChangeEvent, type MessageRow, RouseError } from "@rouse/protocol"

/** What of an OpenAI chat request and of an agent's log mean the same. */

interface Said {
  readonly role: string
  readonly content?:
    | string
    | readonly { readonly type: string; readonly text?: string | undefined }[]
    | null
    | undefined
}

/**
 * What is new in a conversation that the agent knows: what was said after the last answer. In one that it does not know, all of it, with who said it.
 *
 * @throws {RouseError} `INVALID_ARGS` naming the message that is not text, or when nothing is new.
 */
export function newText(messages: readonly Said[], isKnown: boolean): string {
  const last = messages.findLastIndex(({ role }) => role === "assistant")
  const tail = messages.slice(last + 1)
  if (tail.some(({ role }) => role === "tool" || role === "function"))
    throw new RouseError("INVALID_ARGS", "messages: results of tools are not taken: the agent runs its tools itself")
  const said = tail.flatMap((one, index) => (one.role === "user" ? [textOf(one, last + 1 + index)] : []))
  const text = said.filter((one) => one.trim() !== "").join("\n\n")
  if (text === "") throw new RouseError("INVALID_ARGS", "messages: must end with a message of the user")
  if (isKnown || last < 0) return text
  const before = messages.slice(0, last + 1).flatMap((one, index) => {
    if (one.role !== "user" && one.role !== "assistant") return []
    return [`${one.role === "user" ? "User" : "Assistant"}: ${textOf(one, index)}`]
  })
  return [...before, `User: ${text}`].join("\n\n")
}

function textOf({ content }: Said, index: number): string {
  if (content === undefined || content === null) return ""
  if (typeof content === "string") return content
  return content
    .map(({ type, text }) => {
      if (type === "text" && text !== undefined) return text
      throw new RouseError("INVALID_ARGS", `messages.${index}.content: parts of type ${type} are not taken, only text`)
    })
    .join("")
}

/** Makes of the changes of a log the text that a reader has not seen yet. What was shown is never taken back. */
export class ChatText {
  readonly #message: string
  readonly #shown = new Map<string, number>()
  #run: string | undefined
  /** All that was shown. */
  text = ""

  /** @param message The key of the message whose run is shown. */
  constructor(message: string) {
    this.#message = message
  }

  take(events: readonly ChangeEvent[]): string {
    for (const { type, key, value } of events)
      if (type === "message" && key === this.#message) this.#run ??= (value as unknown as MessageRow).run
    return events.map((event) => this.#more(event)).join("")
  }

  /** What the reply has beyond what was shown. */
  end(reply: string): string {
    return reply === "" || this.text.endsWith(reply) ? "" : this.#show(this.text === "" ? reply : `\n\n${reply}`)
  }

  #more({ type, value }: ChangeEvent): string {
    if (type !== "delta" && type !== "text") return ""
    const row = value as unknown as {
      run: string
      step: string
      index: number
      text: string
      kind?: string
      at?: number
    }
    if (row.run !== this.#run || row.kind === "reasoning") return ""
    const part = `${row.step}.${row.index}`
    const known = this.#shown.get(part)
    const at = type === "delta" ? (row.at ?? 0) : 0
    const more = row.text.slice(Math.max(0, (known ?? 0) - at))
    this.#shown.set(part, Math.max(known ?? 0, at + row.text.length))
    if (more === "") return ""
    return this.#show(known === undefined && this.text !== "" ? `\n\n${more}` : more)
  }

  #show(more: string): string {
    this.text += more
    return more
  }
}
