import type { AttachmentInfo, EntityUrl } from "@rouse/protocol"
import { entityUrl, RouseError } from "@rouse/protocol"
import type { ChatTransport, UIMessage, UIMessageChunk } from "ai"
import type { Client } from "../client-type.ts"
import { createClient } from "../client.ts"
import { entityPath } from "../core/address.ts"
import { deliver, isMissing } from "../live/deliver.ts"
import type { AgentStore } from "../live/agent-store.ts"
import { liveOf } from "../live/live.ts"
import type { ClientOptions } from "../options.ts"
import type { SpawnInput } from "../spawn.ts"
import { transportOf } from "../transports.ts"
import type { AnyClient } from "../typed.ts"
import { ChatState } from "./chat-state.ts"
import { outgoing } from "./content.ts"
import { decide, decisionsIn } from "./decisions.ts"
import type { FollowedChat } from "./follow.ts"
import { follow } from "./follow.ts"
import { chatMessages } from "./messages.ts"
import { openWork, waitingRun } from "./open-work.ts"
import { reconcile } from "./reconcile.ts"
import type { Followed, ReplyOptions } from "./reply.ts"
import { replyStream } from "./reply.ts"
import { RunWriter } from "./run-writer.ts"
import { loaded } from "./loaded.ts"
import { turnOfRun } from "./turns.ts"

export interface RouseChatOptions extends Omit<ClientOptions, "url"> {
  /** The server's base. Where the page is from when absent. */
  readonly url?: string | undefined
  /** Used instead of a client of its own. */
  readonly client?: AnyClient | undefined
  /** The type of the agents: a chat's is `/{type}/{the chat's id}`. */
  readonly type: string
  /** What an agent is made with when a chat begins. */
  readonly spawn?: SpawnInput | ((chatId: string) => SpawnInput) | undefined
  /**
   * What stopping a chat does: `interrupt` (when absent) ends the agent's run; `detach` only looks away. A chat that is followed and taken
   * off the page is always only looked away from.
   */
  readonly stop?: "interrupt" | "detach" | undefined
}

/** A chat transport whose chats are agents. */
export interface RouseChat<M extends UIMessage = UIMessage> extends ChatTransport<M> {
  readonly resumeStreamIsReplay: true
  /** The address of a chat's agent. */
  address(chatId: string): EntityUrl
  /** All that was said, for `messages` of `useChat`. Empty when the chat has not begun. */
  messages(chatId: string): Promise<M[]>
  /**
   * Keeps a chat as the log has it, whoever writes: history when it is opened, what others send, runs under way. Returns how to end it.
   *
   * @example
   * useEffect(() => transport.follow(chat), [chat.id])
   */
  follow(chat: FollowedChat<M>): () => void
}

/**
 * Makes `useChat` of the AI SDK a window on an agent: what is said is on the agent's log, a reload finds the run where it is, and everybody
 * with the same chat id is in the same conversation.
 *
 * @throws {RouseError} `BAD_REQUEST` when `url` is no address.
 * @example
 * const chat = useChat({ id, transport: rouseChat({ type: "assistant" }), resume: true })
 * @see docs/client.md
 */
export function rouseChat<M extends UIMessage = UIMessage>(options: RouseChatOptions): RouseChat<M> {
  const { type, spawn = {}, stop = "interrupt", client: given, ...connection } = options
  const client = (given ?? createClient({ ...connection, url: options.url ?? origin() })) as Client
  const { clock, newKey } = transportOf(client)
  const chats = new Map<string, ChatState>()
  const address = (chatId: string): EntityUrl => entityUrl(type, chatId)
  const spawnOf = (chatId: string): SpawnInput => (typeof spawn === "function" ? spawn(chatId) : spawn)
  const storeOf = (chatId: string): AgentStore => liveOf(client).agent(address(chatId))

  function stateOf(chatId: string): ChatState {
    const known = chats.get(chatId) ?? new ChatState()
    chats.set(chatId, known)
    return known
  }

  function writerOf(chatId: string): RunWriter {
    return new RunWriter(fileUrl(chatId))
  }

  function fileUrl(chatId: string): (file: AttachmentInfo) => string {
    return ({ id }) => client.url + entityPath(address(chatId), "attachments", id)
  }

  function stream(
    chatId: string,
    followed: Followed,
    more: Partial<Pick<ReplyOptions, "writer" | "isExpected">>,
    signal: AbortSignal | undefined,
  ): ReadableStream<UIMessageChunk> {
    const chat = stateOf(chatId)
    const closed = chat.open()
    const stopped = (): void => void interrupt(chatId)
    if (stop === "interrupt") signal?.addEventListener("abort", stopped)
    // Stopped while the message was on its way: it is on the log now.
    if (stop === "interrupt" && signal?.aborted === true) stopped()
    return replyStream({
      store: storeOf(chatId),
      followed,
      writer: writerOf(chatId),
      ...more,
      signal,
      closed: () => {
        signal?.removeEventListener("abort", stopped)
        void clock.sleep(SETTLE_MS).then(closed)
      },
    })
  }

  /** Ends the run, unless the chat was taken off the page, or reconnected, rather than stopped. What fails is seen in the chat: the run goes on. */
  async function interrupt(chatId: string): Promise<void> {
    const chat = stateOf(chatId)
    const { followers, reconnects } = chat
    await clock.sleep(0)
    if ((followers > 0 && chat.followers === 0) || chat.reconnects > reconnects) return
    await client.signal(address(chatId), "interrupt").catch((error: unknown) => console.error("Stop failed.", error))
  }

  async function submit(chatId: string, message: M): Promise<Followed> {
    const chat = stateOf(chatId)
    const { content, files } = outgoing(message)
    const key = chat.keyOf(message.id, newKey)
    const receipt = await deliver(client, address(chatId), content, { files, idempotencyKey: key }, spawnOf(chatId))
    chat.sent(message.id, receipt.message)
    if (storeOf(chatId).get().phase === "failed") storeOf(chatId).restart()
    return { message: receipt.message }
  }

  /** Makes the agent of a chat that is looked at and has not begun, so that it is seen when somebody begins it. */
  async function ensure(chatId: string): Promise<void> {
    const store = storeOf(chatId)
    const unsubscribe = store.subscribe(() => undefined)
    try {
      await loaded(store)
    } catch (error) {
      if (!isMissing(error)) throw error
      await client.spawn(address(chatId), spawnOf(chatId))
      store.restart()
    } finally {
      unsubscribe()
    }
  }

  /** Tells the agent what a person decided, and goes on with its run. */
  async function resolve(
    chatId: string,
    message: M,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<UIMessageChunk>> {
    const store = storeOf(chatId)
    const state = await loaded(store, signal)
    const decisions = decisionsIn(message, state)
    const turn = turnOfRun(state.timeline.items, message.id)
    if (!turn) throw new RouseError("NOT_FOUND", `${address(chatId)} has no run ${message.id} to go on with`)
    const writer = writerOf(chatId)
    writer.resume(turn, message)
    const before = decisions.map(({ call }) => state.timeline.approvals[call])
    // The log tells of a decision a little after it was made.
    const isExpected: ReplyOptions["isExpected"] = ({ timeline }) =>
      decisions.some(({ call }, n) => before[n] !== undefined && timeline.approvals[call] === before[n])
    await decide(client, address(chatId), decisions)
    return stream(chatId, { run: turn.run }, { writer, isExpected }, signal)
  }

  return {
    resumeStreamIsReplay: true,
    address,
    async sendMessages({ chatId, messages, messageId, abortSignal, trigger }) {
      const close = stateOf(chatId).open()
      const unsubscribe = storeOf(chatId).subscribe(() => undefined)
      try {
        const about = messages.find((message) => message.id === messageId) ?? messages.at(-1)
        if (trigger === "submit-message" && about?.role === "assistant")
          return await resolve(chatId, about, abortSignal)
        const last = messages.findLast((message) => message.role === "user")
        if (!last) throw new RouseError("BAD_REQUEST", "messages: there is none of a person to send")
        return stream(chatId, await submit(chatId, last), {}, abortSignal)
      } finally {
        close()
        unsubscribe()
      }
    },
    async reconnectToStream({ chatId, abortSignal }) {
      const store = storeOf(chatId)
      const chat = stateOf(chatId)
      const nth = ++chat.reconnects
      const unsubscribe = store.subscribe(() => undefined)
      try {
        const state = await loaded(store, abortSignal)
        // A later one has taken its place, which stops nothing.
        if (chat.reconnects > nth) return null
        const followed = openWork(state)?.followed ?? waitingRun(state)
        return followed === undefined ? null : stream(chatId, followed, {}, abortSignal)
      } catch (error) {
        if (isMissing(error)) return null
        throw error
      } finally {
        unsubscribe()
      }
    },
    async messages(chatId) {
      const store = storeOf(chatId)
      const unsubscribe = store.subscribe(() => undefined)
      try {
        return chatMessages((await loaded(store)).timeline, fileUrl(chatId)) as M[]
      } catch (error) {
        if (isMissing(error)) return []
        throw error
      } finally {
        unsubscribe()
      }
    },
    follow(chat) {
      const state = stateOf(chat.id)
      state.followers++
      ensure(chat.id).catch((error: unknown) => console.error("The chat could not be opened.", error))
      const messages = (agent: { readonly timeline: Parameters<typeof chatMessages>[0] }, shown: readonly M[]): M[] =>
        reconcile(shown, chatMessages(agent.timeline, fileUrl(chat.id)) as M[], state.localIds)
      const end = follow({ store: storeOf(chat.id), streaming: state.streaming, chat, messages })
      return () => {
        state.followers--
        end()
      }
    },
  }
}

/** How long a chat may take to handle the last of a stream before the log is shown again, milliseconds. */
const SETTLE_MS = 50

function origin(): string {
  const { location } = globalThis as { readonly location?: { readonly origin: string } }
  if (!location) throw new RouseError("BAD_REQUEST", "url: is needed where there is no page")
  return location.origin
}
