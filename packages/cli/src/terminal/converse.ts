import { emptyTimeline, statusOf } from "@rouse/client"
import type { Client, Timeline } from "@rouse/client"
import type { EntityUrl } from "@rouse/protocol"
import { composer } from "../core/composer.ts"
import { explain } from "../core/failure.ts"
import { glyphsFor } from "../core/look.ts"
import { NOTHING_SCROLLED, scroll, skipped } from "../core/scroll.ts"
import { statusLine } from "../core/status-line.ts"
import { givenBack, stepTalk, talkOf } from "../core/talk.ts"
import type { Meanwhile, Talk, TalkEffect } from "../core/talk.ts"
import type { View } from "../core/view.ts"
import type { Io, TerminalInput, TerminalOutput } from "../io.ts"
import { follow } from "./following.ts"
import type { Followed, Happening } from "./following.ts"
import { listen } from "./keys.ts"
import { Region } from "./region.ts"
import { noticesOf } from "./watch-terminal.ts"

const FRAME_MS = 100
/** How much of the past a conversation begins with. */
const LAST = 20

export interface Sides {
  readonly client: Client
  readonly url: EntityUrl
  readonly input: TerminalInput
  readonly output: TerminalOutput
  readonly io: Io
}

/**
 * A conversation with an agent, until the person leaves or the agent is stopped.
 *
 * Owns: what is typed, what has been drawn, and what is known of the agent.
 */
export async function converse(sides: Sides): Promise<void> {
  const conversation = new Conversation(sides)
  await conversation.run()
}

class Conversation {
  readonly #sides: Sides
  readonly #region: Region
  readonly #view: Omit<View, "columns" | "nowMs">
  readonly #leave = new AbortController()
  #talk: Talk = talkOf([])
  #now: Followed | undefined
  #scrolled = NOTHING_SCROLLED
  #said: string | undefined

  constructor(sides: Sides) {
    const { io, url, output } = sides
    this.#sides = sides
    this.#region = new Region(output)
    this.#view = { color: io.color, glyphs: glyphsFor(io.env), url, reasoning: false, answering: true }
  }

  async run(): Promise<void> {
    const { client, url, input, output, io } = this.#sides
    const again = (): void => this.#draw()
    const deaf = listen(input, output, (key) => this.#press(key))
    const timer = setInterval(() => this.#tick(), FRAME_MS)
    output.on("resize", again)
    try {
      await follow(client, url, AbortSignal.any([io.stop, this.#leave.signal]), (followed, what) =>
        this.#tell(followed, what),
      )
    } finally {
      clearInterval(timer)
      output.off("resize", again)
      deaf()
      this.#end()
    }
  }

  get #timeline(): Timeline {
    return this.#now?.timeline ?? emptyTimeline()
  }

  #meanwhile(): Meanwhile {
    const { approvals } = this.#timeline
    return { busy: statusOf(this.#timeline).busy, approvals, nowMs: this.#sides.io.now() }
  }

  #views(): View {
    return { ...this.#view, columns: this.#region.columns, nowMs: this.#sides.io.now() }
  }

  #tell(followed: Followed, what: Happening): void {
    const begins = this.#now === undefined
    this.#now = followed
    if (!begins) return this.#draw(noticesOf(followed, what, this.#views()))
    const [start, left] = skipped(followed.timeline, LAST)
    this.#scrolled = start
    this.#talk = { ...talkOf(saidBefore(followed.timeline)), editor: this.#talk.editor }
    const { color, glyphs } = this.#view
    this.#draw(
      [],
      left === 0
        ? []
        : [color.dim(`${glyphs.more} ${left} earlier: rouse watch ${this.#sides.url} --last ${left + LAST}`)],
    )
  }

  #tick(): void {
    if (this.#now?.lost !== undefined || statusOf(this.#timeline).busy) this.#draw()
  }

  #press(key: Parameters<typeof stepTalk>[1]): void {
    const [talk, effect] = stepTalk(this.#talk, key, this.#meanwhile())
    this.#talk = talk
    this.#said = undefined
    if (effect?.kind === "leave") return this.#leave.abort()
    if (effect?.kind === "say") this.#said = effect.text
    else if (effect) void this.#perform(effect)
    this.#draw()
  }

  /** Does what was asked for; what fails is said, and given back. Never throws. */
  async #perform(effect: Exclude<TalkEffect, { readonly kind: "leave" | "say" }>): Promise<void> {
    const { client, url, io } = this.#sides
    const signal = io.stop
    try {
      switch (effect.kind) {
        case "send":
          await client.send(url, effect.text, { mode: effect.mode, idempotencyKey: io.uuid(), signal })
          break
        case "decide":
          await client.approve(url, effect.call, effect.decision, undefined, { input: effect.input, signal })
          break
        case "answer":
          await client.answer(url, effect.call, effect.answer, { signal })
          break
        case "interrupt":
          this.#said = "interrupting; Ctrl-C again leaves"
          this.#draw()
          await client.signal(url, "interrupt", undefined, { signal })
          this.#said = undefined
          this.#draw()
          break
      }
    } catch (error) {
      this.#talk = givenBack(this.#talk, effect)
      this.#said = explain(error, client.url).line
      this.#draw()
    }
  }

  #draw(notices: readonly string[] = [], before: readonly string[] = []): void {
    if (this.#now === undefined || this.#leave.signal.aborted) return
    const { timeline, lost } = this.#now
    const view = this.#views()
    const { out, live: drawn, scrolled } = scroll(this.#scrolled, timeline, view)
    this.#scrolled = notices.length === 0 ? scrolled : { ...scrolled, tight: false }
    const live = notices.length === 0 ? drawn : scroll(this.#scrolled, timeline, view).live
    const above = [...live, "", statusLine(timeline, view, lost)]
    const { lines, row, column } = composer(this.#talk, this.#meanwhile(), this.#said, view)
    this.#region.draw([...before, ...out, ...notices], [...above, ...lines], { row: above.length + row, column })
  }

  #end(): void {
    if (this.#now === undefined) return this.#region.close()
    const { timeline } = this.#now
    const { busy } = statusOf(timeline)
    const view = this.#views()
    const goesOn = busy ? [view.color.dim(`the run goes on: rouse watch ${this.#sides.url}`)] : []
    this.#region.close([...scroll(this.#scrolled, timeline, view).live, "", statusLine(timeline, view), ...goesOn])
  }
}

/** Texts that people sent, the oldest first. */
function saidBefore({ items }: Timeline): readonly string[] {
  return items.flatMap((item) =>
    item.kind === "message" &&
    item.row.from.kind === "user" &&
    typeof item.row.content === "string" &&
    item.row.content !== ""
      ? [item.row.content]
      : [],
  )
}
