import type { UIMessage } from "ai"
import type { AgentState } from "../live/agent-state.ts"
import type { Readable } from "../live/store.ts"
import type { LiveStore } from "../live/watched.ts"
import { openWork } from "./open-work.ts"

/** A chat that is kept up to date: what `useChat` returns, or a `Chat`. */
export interface FollowedChat<M extends UIMessage> {
  readonly id: string
  /** Of a `Chat`, which is assigned to where `setMessages` is missing. */
  messages: M[]
  readonly setMessages?: ((change: (messages: M[]) => M[]) => void) | undefined
  readonly resumeStream: () => Promise<void>
}

export interface FollowOptions<M extends UIMessage> {
  readonly store: LiveStore<AgentState>
  /** Whether a stream of the chat is open: then it is the stream that tells. */
  readonly streaming: Readable<boolean>
  readonly chat: FollowedChat<M>
  readonly messages: (state: AgentState, shown: readonly M[]) => M[]
}

/**
 * Shows in a chat what is on the log, also what others sent and what was there before; a run that is under way is resumed as a stream.
 *
 * @returns How to end it.
 */
export function follow<M extends UIMessage>({ store, streaming, chat, messages }: FollowOptions<M>): () => void {
  let shownOf: AgentState["items"] | undefined
  let resumed: string | undefined
  let isOver = false

  function show(): void {
    const state = store.get()
    if (isOver || streaming.get() || state.phase !== "live") return
    if (state.items !== shownOf) {
      shownOf = state.items
      const change = (shown: M[]): M[] => messages(state, shown)
      if (chat.setMessages) chat.setMessages(change)
      else chat.messages = change(chat.messages)
    }
    const work = openWork(state)
    if (work?.key === resumed) return
    resumed = work?.key
    if (work === undefined) return
    chat.resumeStream().catch((error: unknown) => console.error("The chat could not be resumed.", error))
  }

  const unsubscribe = store.subscribe(show)
  const unfollow = streaming.subscribe(show)
  // What is there is shown after whoever mounts the chat is done.
  queueMicrotask(show)
  return () => {
    isOver = true
    unsubscribe()
    unfollow()
  }
}
