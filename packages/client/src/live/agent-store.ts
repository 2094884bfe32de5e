import type { ForkBody, Forked, Json, LogEvent, Receipt } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { FileInput } from "../attachments.ts"
import { fileName } from "../attachments.ts"
import type { Client } from "../client-type.ts"
import type { OutgoingItem } from "../core/outbox.ts"
import { changeOutgoing, OUTBOX_MAX } from "../core/outbox.ts"
import type { LogBatch } from "../log.ts"
import type { SendOptions } from "../messages.ts"
import type { SpawnInput } from "../spawn.ts"
import type { ApproveOptions } from "../steering.ts"
import type { Transport } from "../transport.ts"
import type { AgentState, Decision } from "./agent-state.ts"
import { begun, initialAgent, withBatches, withFailure, withOutbox } from "./agent-state.ts"
import { deliver, isMissing } from "./deliver.ts"
import { perFrame } from "./frame.ts"
import { createStore } from "./store.ts"
import type { LiveStore } from "./watched.ts"
import { watched } from "./watched.ts"

export interface AgentOptions {
  /** Makes the agent when there is none. */
  readonly spawn?: SpawnInput | undefined
}

export interface OutgoingOptions extends Pick<SendOptions, "mode" | "attachments"> {
  /** Files that come with it: they are uploaded first. */
  readonly files?: readonly FileInput[] | undefined
}

/** What may be done to an agent. None of it needs the agent to be shown. */
export interface AgentActions {
  /**
   * Sends a message, which is shown at once. One that could not be sent is no error: it is shown as `failed`, for `resend` or `discard`.
   *
   * @throws {RouseError} `OVERLOADED` when 100 are on their way already.
   */
  readonly send: (content: Json, options?: OutgoingOptions) => Promise<Receipt | undefined>
  /** Sends a failed message again: once, even if it had arrived. @param key The item's. */
  readonly resend: (key: string) => Promise<Receipt | undefined>
  /** Shows a failed message no more. */
  readonly discard: (key: string) => void
  /** Decides a tool call or a used-up budget. @param call The approval's key. @throws {RouseError} When the server refuses. */
  readonly decide: (call: string, decision: "allow" | "deny", note?: string, options?: ApproveOptions) => Promise<void>
  /** Answers a question. @throws {RouseError} When the server refuses. */
  readonly answer: (call: string, answer: Json, note?: string) => Promise<void>
  /** `interrupt`, `pause`, `resume`, `kill`, or a name of the agent's own. */
  readonly signal: (name: string, payload?: Json) => Promise<void>
  readonly fork: (options?: ForkBody) => Promise<Forked>
}

/** One agent: its log as a timeline, kept current while anybody is subscribed. */
export interface AgentStore extends LiveStore<AgentState>, AgentActions {}

/** Opened from a snapshot, and then read on from where it stands, also when it was not watched for a while. */
export function createAgentStore(client: Client, transport: Transport, url: string, options: AgentOptions): AgentStore {
  const store = createStore(initialAgent(url))
  const sends = new Map<string, OutgoingOptions>()

  async function run(signal: AbortSignal, progress: () => void): Promise<void> {
    const push = perFrame<LogBatch<LogEvent>>(transport.clock, signal, (batches) =>
      store.update((state) => withBatches(state, batches)),
    )
    store.update(begun)
    const { offset } = store.get()
    const onInterrupted = (error: unknown): void => store.update((state) => withFailure(state, error, true))
    const from = offset === undefined ? {} : { from: offset }
    for await (const batch of client.observe(url, { ...from, signal, snapshot: true, onInterrupted })) {
      progress()
      push(batch)
    }
  }

  async function runOrSpawn(signal: AbortSignal, progress: () => void): Promise<void> {
    try {
      await run(signal, progress)
    } catch (error) {
      if (options.spawn === undefined || !isMissing(error)) throw error
      await client.spawn(url, options.spawn, { signal })
      await run(signal, progress)
    }
  }

  const live = watched(store, transport, runOrSpawn, (error, again) =>
    store.update((state) => withFailure(state, error, again)),
  )

  const put = (key: string, change: (item: OutgoingItem) => OutgoingItem): void =>
    store.update((state) => withOutbox(state, changeOutgoing(state.outbox, key, change)))

  async function attempt(item: OutgoingItem): Promise<Receipt | undefined> {
    try {
      const given = { ...sends.get(item.key), idempotencyKey: item.key }
      const receipt = await deliver(client, url, item.content, given, options.spawn)
      put(item.key, ({ error: _error, ...known }) => ({ ...known, status: "sent", message: receipt.message }))
      sends.delete(item.key)
      if (store.get().phase === "failed") live.restart()
      return receipt
    } catch (error) {
      const known = RouseError.is(error) ? error : new RouseError("INTERNAL", String(error), { cause: error })
      put(item.key, (failed) => ({ ...failed, status: "failed", error: known }))
      return undefined
    }
  }

  async function deciding<T>(call: string, decision: Decision, act: () => Promise<T>): Promise<T> {
    store.update((state) => ({ ...state, deciding: { ...state.deciding, [call]: decision } }))
    const over = (state: AgentState): AgentState => {
      const { [call]: _, ...left } = state.deciding
      return { ...state, deciding: left }
    }
    try {
      const done = await act()
      // One that waits no more was decided before, and the log tells nothing new of it.
      store.update((state) => (Object.hasOwn(state.timeline.approvals, call) ? state : over(state)))
      return done
    } catch (error) {
      store.update(over)
      throw error
    }
  }

  return {
    ...live,
    send: async (content, given = {}) => {
      const key = transport.newKey()
      if (store.get().outbox.length >= OUTBOX_MAX)
        throw new RouseError("OVERLOADED", `${url}: ${OUTBOX_MAX} messages are on their way already`)
      const { files = [], mode } = given
      const item: OutgoingItem = {
        kind: "outgoing",
        id: `outgoing:${key}`,
        key,
        content,
        files: files.map(fileName),
        status: "sending",
        ...(mode && { mode }),
      }
      sends.set(key, given)
      store.update((state) => withOutbox(state, [...state.outbox, item]))
      return attempt(item)
    },
    resend: async (key) => {
      const item = store.get().outbox.find((known) => known.key === key && known.status === "failed")
      if (!item) return undefined
      const { error: _, ...again } = { ...item, status: "sending" as const }
      put(key, () => again)
      return attempt(again)
    },
    discard: (key) => {
      sends.delete(key)
      store.update((state) =>
        withOutbox(
          state,
          state.outbox.filter((item) => item.key !== key || item.status !== "failed"),
        ),
      )
    },
    decide: (call, decision, note, given) =>
      deciding(call, decision, () => client.approve(url, call, decision, note, given)),
    answer: (call, answer, note) => deciding(call, "answer", () => client.answer(url, call, answer, { note })),
    signal: (name, payload) => client.signal(url, name, payload),
    fork: (body) => client.fork(url, body),
  }
}
