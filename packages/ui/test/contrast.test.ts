import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"

/** WCAG 2.2, 1.4.3 and 1.4.11: the tokens of the page, in both themes. */
const css = readFileSync(new URL("../src/styles.css", import.meta.url), "utf8")

type Rgb = readonly [number, number, number]

function token(name: string, theme: 0 | 1): Rgb {
  const found = new RegExp(`--${name}: light-dark\\(#([0-9a-f]{6}), #([0-9a-f]{6})\\)`).exec(css)
  if (!found) throw new Error(`styles.css has no token --${name}`)
  const hex = found[theme + 1] ?? ""
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as unknown as Rgb
}

function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((part) => {
    const c = part / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }) as unknown as Rgb
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

const PAGES = ["canvas", "surface", "raised", "sunken", "hover", "selected"]
const TEXT: readonly (readonly [text: string, on: readonly string[]])[] = [
  ["ink", [...PAGES, "accent-soft", "attention-soft", "danger-soft"]],
  ["ink-2", [...PAGES, "attention-soft", "danger-soft"]],
  ["ink-3", [...PAGES, "attention-soft", "danger-soft"]],
  ["accent", [...PAGES, "accent-soft"]],
  ["attention", [...PAGES, "attention-soft"]],
  ["danger", [...PAGES, "danger-soft"]],
  ["canvas", ["ink", "ink-2"]],
]

/** Told apart from what they lie on: the edges of fields, the ring of the focus, the shapes of statuses. */
const SHAPES = ["field", "accent", "attention", "danger", "ink-3"]

describe.each([
  ["light", 0],
  ["dark", 1],
] as const)("the %s theme", (_name, theme) => {
  test.each(TEXT)("%s can be read", (text, on) => {
    const low = on
      .map((surface) => [surface, contrast(token(text, theme), token(surface, theme))] as const)
      .filter(([, ratio]) => ratio < 4.5)
    expect(low).toEqual([])
  })

  test.each(SHAPES)("%s can be seen", (shape) => {
    const low = ["surface", "canvas", "raised"].filter(
      (surface) => contrast(token(shape, theme), token(surface, theme)) < 3,
    )
    expect(low).toEqual([])
  })
})
