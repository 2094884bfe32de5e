import { useCallback, useEffect, useRef, useState } from "react"
import type { RefObject } from "react"

/** Nearer to the end than this is at the end. */
const NEAR_PX = 48

export interface Stick {
  readonly scroller: RefObject<HTMLDivElement | null>
  readonly content: RefObject<HTMLDivElement | null>
  /** Whether the end is in sight and kept there. */
  readonly stuck: boolean
  readonly toEnd: () => void
}

/**
 * Keeps the end in sight while content grows, until the reader scrolls up; then nothing moves until they come back or ask.
 *
 * Only a movement upwards lets go, so that growth between two frames is never taken for the reader's wish.
 */
export function useStickToBottom(): Stick {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const held = useRef(true)
  const [stuck, setStuck] = useState(true)
  const toEnd = useCallback((): void => {
    held.current = true
    setStuck(true)
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight })
  }, [])
  useEffect(() => {
    const box = scroller.current
    if (!box || !content.current) return
    let top = box.scrollTop
    const onScroll = (): void => {
      const near = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX
      if (near) held.current = true
      else if (box.scrollTop < top - 1) held.current = false
      top = box.scrollTop
      setStuck(held.current)
    }
    const keep = new ResizeObserver(() => {
      if (held.current) box.scrollTop = box.scrollHeight
    })
    box.addEventListener("scroll", onScroll, { passive: true })
    keep.observe(content.current)
    keep.observe(box)
    return () => {
      box.removeEventListener("scroll", onScroll)
      keep.disconnect()
    }
  }, [])
  return { scroller, content, stuck, toEnd }
}
