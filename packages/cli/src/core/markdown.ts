import { marked } from "marked"
import type { Token, Tokens } from "marked"
import { inline } from "./markdown-inline.ts"
import { tableLines } from "./markdown-table.ts"
import type { Glyphs, Palette } from "./look.ts"
import { laid } from "./plain.ts"
import { cut, folded, hung, wrapped } from "./wrap.ts"

/** How much room there is, and how it looks. */
export interface Page {
  readonly columns: number
  readonly color: Palette
  readonly glyphs: Glyphs
}

/** One heading, paragraph, list, table, quote or piece of code of a text. */
export interface MarkdownBlock {
  /** As it was written. What is written later changes only the last block of a text. */
  readonly source: string
  readonly token: Token
}

/**
 * A markdown text in its outermost blocks. What a model wrote is made safe to print first: an escape sequence in it is gone.
 *
 * A text that is still being written may be given: code whose fence is not closed is code up to the end.
 */
export function markdownBlocks(text: string): readonly MarkdownBlock[] {
  return marked.lexer(laid(text)).flatMap((token) => (isShown(token) ? [{ source: token.raw, token }] : []))
}

/** The lines of a block, each at most as wide as the page. */
export function blockLines({ token }: MarkdownBlock, page: Page): readonly string[] {
  return lines(token, page)
}

/** All of a text, an empty line between its blocks. */
export function markdownLines(text: string, page: Page): readonly string[] {
  return apart(markdownBlocks(text).map((block) => blockLines(block, page)))
}

function isShown(token: Token): boolean {
  return token.type !== "space" && token.type !== "def"
}

function lines(token: Token, page: Page): readonly string[] {
  const { columns, color, glyphs } = page
  switch (token.type) {
    case "heading": {
      const { depth, tokens } = token as Tokens.Heading
      const text = color.bold(inline(tokens, page))
      return wrapped(depth === 1 ? color.underline(text) : depth === 2 ? text : color.dim(text), columns)
    }
    case "code":
      return codeLines(token as Tokens.Code, page)
    case "list":
      return listLines(token as Tokens.List, page)
    case "table":
      return tableLines(token as Tokens.Table, page)
    case "blockquote":
      return blocks((token as Tokens.Blockquote).tokens, narrower(page, 2)).map(
        (line) => `${color.dim(glyphs.bar)} ${color.italic(line)}`,
      )
    case "hr":
      return [color.dim(glyphs.rule.repeat(Math.min(columns, RULE_COLUMNS_MAX)))]
    default:
      return wrapped(inline("tokens" in token && token.tokens ? token.tokens : [token], page), columns)
  }
}

const RULE_COLUMNS_MAX = 40

function blocks(tokens: readonly Token[], page: Page): readonly string[] {
  return apart(tokens.filter(isShown).map((token) => lines(token, page)))
}

function apart(all: readonly (readonly string[])[]): readonly string[] {
  return all.flatMap((block, at) => (at === 0 ? block : ["", ...block]))
}

function narrower(page: Page, by: number): Page {
  return { ...page, columns: page.columns - by }
}

/** Code beside a bar, under the name of its language: what is copied of it carries no box's right side. */
function codeLines({ text, lang }: Tokens.Code, page: Page): readonly string[] {
  const { color, glyphs, columns } = page
  const bar = color.dim(`${glyphs.bar} `)
  const named =
    lang === undefined || lang === "" ? [] : [bar + color.dim(color.italic(cut(lang, columns - 2, glyphs.more)))]
  return [...named, ...folded(text, columns - 2).map((line) => bar + color.cyan(line))]
}

function listLines(list: Tokens.List, page: Page): readonly string[] {
  const { color } = page
  const first = list.start === "" ? 1 : list.start
  const items = list.items.map((item, at) => {
    const mark = list.ordered ? `${first + at}.` : item.task ? box(item, page) : page.glyphs.bullet
    const indent = " ".repeat(mark.length + 1)
    return itemLines(item, narrower(page, indent.length)).map((line, row) =>
      row === 0 ? `${color.cyan(mark)} ${line}` : line === "" ? "" : indent + line,
    )
  })
  return list.loose ? apart(items) : items.flat()
}

function box(item: Tokens.ListItem, { glyphs }: Page): string {
  return item.checked === true ? glyphs.checked : glyphs.unchecked
}

/** What an item says, and lists within it right under that. */
function itemLines(item: Tokens.ListItem, page: Page): readonly string[] {
  const shown = item.tokens.filter((token) => isShown(token) && token.type !== "checkbox")
  const all = shown.map((token) => lines(token, page))
  return all.length === 0 ? [""] : item.loose ? apart(all) : all.flat()
}

/** A text that is not markdown, such as what a person typed, beside a mark. */
export function spoken(
  text: string,
  mark: string,
  { columns }: Page,
  paint: (line: string) => string,
): readonly string[] {
  return hung(laid(text).trimEnd(), columns, `${mark} `, "  ").map((line) => paint(line))
}
