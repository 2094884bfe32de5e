"use client"

import type { EntityUrl } from "@rouse/protocol"
import type { Item } from "../core/items.ts"
import type { OutgoingItem } from "../core/outbox.ts"
import { useLive } from "./provider.ts"
import { useSelected } from "./use-store.ts"

/** What a conversation shows, in order. An item that did not change is the same object as before. */
export type TimelineView = readonly (Item | OutgoingItem)[]

/** The items of an agent's timeline alone: it changes when they do. */
export function useTimeline(url: EntityUrl): TimelineView {
  return useSelected(useLive().agent(url), (state) => state.items)
}
