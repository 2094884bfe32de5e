import type { Key } from "./key.ts"
import type { Page } from "./markdown.ts"
import { plainLine } from "./plain.ts"
import { cut } from "./wrap.ts"

/** One of a few things to choose. */
export interface Option {
  readonly value: string
  readonly label: string
}

/** Lines that show what can be chosen, the one at `at` set off. */
export function choiceLines(title: string, options: readonly Option[], at: number, page: Page): readonly string[] {
  const { color, columns, glyphs } = page
  const lines = options.map(({ label }, index) => {
    const text = cut(plainLine(label), columns - 2, glyphs.more)
    return index === at ? color.cyan(`${glyphs.person} ${text}`) : `  ${text}`
  })
  return [
    color.bold(title),
    ...lines,
    color.dim(cut("up and down, Enter chooses, Ctrl-C leaves", columns, glyphs.more)),
  ]
}

/** What a key does: another place, the choice, or leaving. */
export function stepChoice(at: number, count: number, key: Key): number | "chosen" | "left" {
  if (key.ctrl && (key.name === "c" || key.name === "d")) return "left"
  switch (key.name) {
    case "up":
    case "k":
      return Math.max(0, at - 1)
    case "down":
    case "j":
      return Math.min(count - 1, at + 1)
    case "return":
      return "chosen"
    case "escape":
    case "q":
      return "left"
    default:
      return at
  }
}
