import { useShortcuts } from "./shortcuts.ts"

/** j and k move the focus over the rows of a screen, which have `data-row`. */
export function useRowKeys(): void {
  const move = (step: number): void => {
    const rows = [...document.querySelectorAll<HTMLElement>("[data-row]")]
    const at = rows.findIndex((row) => row.contains(document.activeElement))
    const next = rows[Math.min(rows.length - 1, Math.max(0, at < 0 ? 0 : at + step))]
    next?.focus()
    next?.scrollIntoView({ block: "nearest" })
  }
  useShortcuts({ j: () => move(1), k: () => move(-1) })
}
