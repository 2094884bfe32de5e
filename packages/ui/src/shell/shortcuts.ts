import { useEffect, useEffectEvent } from "react"

/** What a key does; the key as `KeyboardEvent.key` names it, with `mod+` for ⌘ or Ctrl. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>

export interface ShortcutOptions {
  /** Asked first, before any other on the page: whether it took the key for itself. */
  readonly before?: (event: KeyboardEvent) => boolean
}

/** Listens for keys on the whole page. Plain keys are left to a field that is being written in, and to an open dialog. */
export function useShortcuts(shortcuts: Shortcuts, options: ShortcutOptions = {}): void {
  const isOurs = (event: KeyboardEvent, mod: boolean): boolean =>
    !event.defaultPrevented &&
    !event.isComposing &&
    (mod || !(event.altKey || isWriting(event.target) || inDialog(event.target)))
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const mod = event.metaKey || event.ctrlKey
    if (!isOurs(event, mod)) return
    const action = shortcuts[mod ? `mod+${event.key.toLowerCase()}` : event.key]
    if (!action) return
    event.preventDefault()
    action(event)
  })
  const onKeyFirst = useEffectEvent((event: KeyboardEvent) => {
    if (options.before && !event.metaKey && !event.ctrlKey && isOurs(event, false) && options.before(event))
      event.preventDefault()
  })
  useEffect(() => {
    addEventListener("keydown", onKeyFirst, { capture: true })
    addEventListener("keydown", onKey)
    return () => {
      removeEventListener("keydown", onKeyFirst, { capture: true })
      removeEventListener("keydown", onKey)
    }
  }, [])
}

/** Puts the focus on the element that a shortcut names by its `data-shortcut`. */
export function focusShortcut(name: string): boolean {
  const target = [...document.querySelectorAll<HTMLElement>(`[data-shortcut="${name}"]`)].find(
    (el) => el.offsetParent !== null,
  )
  target?.focus()
  return target !== undefined
}

function isWriting(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !/^(range|checkbox|radio|button)$/.test(target.type)
  return target instanceof HTMLElement && (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName))
}

function inDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null
}
