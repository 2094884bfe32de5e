import { createStore } from "./store.ts"
import type { Readable } from "./store.ts"

/** How long a page may be out of sight before it lets go of its connections. */
const HIDDEN_MS = 20_000

/**
 * Whether the page is looked at, or was a moment ago.
 *
 * A browser opens six connections to a server over HTTP/1.1, for all its tabs together, and each live page holds two. Tabs that
 * nobody sees let go of theirs, so that the one in sight always has some; nothing is lost, since reading goes on by offset.
 */
export const lookedAt: Readable<boolean> = watchVisibility()

function watchVisibility(): Readable<boolean> {
  const store = createStore(true)
  let timer: ReturnType<typeof setTimeout> | undefined
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer)
    if (document.hidden) timer = setTimeout(() => store.set(false), HIDDEN_MS)
    else store.set(true)
  })
  return store
}
