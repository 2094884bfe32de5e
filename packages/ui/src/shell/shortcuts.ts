import { useEffect, useEffectEvent } from "react"

/** What a key does; the key as `KeyboardEvent.key` names it, with `mod+` for ⌘ or Ctrl. */
export type Shortcuts = Readonly<Record<string, (event: KeyboardEvent) => void>>

/** Listens for keys on the whole page. Plain keys are left to a field that is being written in, and to an open dialog. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing) return
    const mod = event.metaKey || event.ctrlKey
    if (!mod && (event.altKey || isWriting(event.target) || inDialog(event.target))) return
    const action = shortcuts[mod ? `mod+${event.key.toLowerCase()}` : event.key]
    if (!action) return
    event.preventDefault()
    action(event)
  })
  useEffect(() => {
    addEventListener("keydown", onKey)
    return () => removeEventListener("keydown", onKey)
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
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
}

function inDialog(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('[role="dialog"],[role="alertdialog"],[role="menu"]') !== null
}
