import { applyChanges, emptyTimeline } from "@rouse/client"
import type { Client, Timeline } from "@rouse/client"
import type { EntitySummary, EntityUrl } from "@rouse/protocol"
import { isOver, problemOfDebate, summaryOf } from "../core/debate.ts"
import type { DebateSummary } from "../core/debate.ts"
import type { Io } from "../io.ts"
import { Chorus } from "../output/chorus.ts"
import { advance } from "../output/transcript.ts"
import type { Shown } from "../output/transcript.ts"

export interface DebateOutcome {
  /** Why it did not finish; undefined when it did. */
  readonly problem?: string
  /** What the leader concluded. */
  readonly reply: unknown
  readonly summary: DebateSummary
  readonly ms: number
}

const LEADER: EntityUrl = "/manager/demo"
const DEBATE_MS_MAX = 5 * 60_000
const LOOK_MS = 150
const AGENTS_MAX = 100

/**
 * Sets the topic, prints what all agents do until they rest, and tells what came of it; undefined when it was stopped
 * first.
 */
export async function followDebate(
  client: Client,
  { topic, json }: { readonly topic: string; readonly json: boolean },
  io: Io,
): Promise<DebateOutcome | undefined> {
  const startMs = io.now()
  const ended = new AbortController()
  const signal = AbortSignal.any([io.stop, ended.signal])
  const followers = new Followers(client, json, io, signal)
  await client.spawn(LEADER, { ...(await argsFor(client, topic)), message: topic }, { signal })
  try {
    followers.follow([LEADER])
    let entities: readonly EntitySummary[] = []
    do {
      await pause(LOOK_MS, signal)
      entities = (await client.list({ limit: AGENTS_MAX }, { signal })).entities
      followers.follow(entities.map(({ url }) => url).sort())
    } while (!isOver(entities) && io.now() - startMs < DEBATE_MS_MAX)
    await followers.catchUp(signal)
    const { timelines } = followers
    const problem = isOver(entities) ? problemOfDebate(LEADER, entities, timelines) : "it took too long"
    const reply = timelines.get(LEADER)?.run?.reply
    return {
      ...(problem === undefined ? {} : { problem }),
      reply,
      summary: summaryOf(timelines),
      ms: io.now() - startMs,
    }
  } catch (error) {
    if (io.stop.aborted) return undefined
    throw error
  } finally {
    ended.abort()
    await followers.ended()
  }
}

/** Follows the log of each agent, and prints what is new. */
class Followers {
  readonly #client: Client
  readonly #json: boolean
  readonly #io: Io
  readonly #signal: AbortSignal
  readonly #chorus: Chorus
  readonly #following = new Map<EntityUrl, Promise<unknown>>()
  readonly #failed: unknown[] = []
  readonly #offsets = new Map<EntityUrl, string>()
  readonly timelines = new Map<EntityUrl, Timeline>()

  constructor(client: Client, json: boolean, io: Io, signal: AbortSignal) {
    this.#client = client
    this.#json = json
    this.#io = io
    this.#signal = signal
    this.#chorus = new Chorus(io)
  }

  /** Follows those that are not followed yet. */
  follow(urls: readonly EntityUrl[]): void {
    for (const url of urls) {
      if (this.#following.has(url)) continue
      this.#following.set(
        url,
        this.#run(url).catch((error: unknown) => this.#failed.push(error)),
      )
    }
    if (this.#failed.length > 0) throw this.#failed[0]
  }

  /** Waits until all that is on the logs has been printed. */
  async catchUp(signal: AbortSignal): Promise<void> {
    for (const url of this.#following.keys()) {
      const { offset } = await this.#client.get(url, { signal })
      while ((this.#offsets.get(url) ?? "") < offset) await pause(LOOK_MS, signal)
    }
  }

  /** Waits for the readers to end. */
  async ended(): Promise<void> {
    await Promise.all(this.#following.values())
  }

  async #run(url: EntityUrl): Promise<void> {
    let shown: Shown = new Map()
    this.timelines.set(url, emptyTimeline())
    for await (const { events, offset } of this.#client.observe(url, { signal: this.#signal })) {
      const timeline = applyChanges(this.timelines.get(url) ?? emptyTimeline(), events)
      this.timelines.set(url, timeline)
      if (this.#json)
        this.#io.out(events.map((event) => `${JSON.stringify({ kind: "change", url, event })}\n`).join(""))
      else {
        const [next, pieces] = advance(shown, timeline, { url, streaming: false, messages: true, replies: true })
        shown = next
        this.#chorus.write(url, pieces)
      }
      this.#offsets.set(url, offset)
      this.follow(Object.values(timeline.children).map((child) => child.url))
    }
  }
}

/** The topic as an argument, where the leader's type has one for it. */
async function argsFor(client: Client, topic: string): Promise<{ readonly args?: { readonly topic: string } }> {
  const types = await client.types()
  const properties = types.find(({ name }) => LEADER.startsWith(`/${name}/`))?.args?.["properties"]
  const hasTopic = typeof properties === "object" && properties !== null && Object.hasOwn(properties, "topic")
  return hasTopic ? { args: { topic } } : {}
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((settle, fail) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      fail(signal.reason as Error)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", onAbort)
      settle()
    }, ms)
    if (signal.aborted) onAbort()
    else signal.addEventListener("abort", onAbort, { once: true })
  })
}
