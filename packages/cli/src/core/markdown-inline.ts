import type { Token, Tokens } from "marked"
import type { Palette } from "./look.ts"
import { laid } from "./plain.ts"

/** Named references that models write. Numbers are left as they are: one of them could be an escape. */
const REFERENCES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&nbsp;": " ",
}

/** What stands within a line: bold, italic, code, links with their address, images by their description. */
export function inline(tokens: readonly Token[], page: { readonly color: Palette }): string {
  return tokens.map((token) => piece(token, page)).join("")
}

function piece(token: Token, page: { readonly color: Palette }): string {
  const { color } = page
  const within = (): string => ("tokens" in token && token.tokens ? inline(token.tokens, page) : text(token))
  switch (token.type) {
    case "strong":
      return color.bold(within())
    case "em":
      return color.italic(within())
    case "del":
      return color.strikethrough(within())
    case "codespan":
      return color.cyan(text(token))
    case "link":
      return link(within(), token as Tokens.Link, color)
    case "image":
      return `${color.dim("[image]")} ${link(text(token), token as Tokens.Image, color)}`
    case "br":
      return "\n"
    default:
      return within()
  }
}

/** A link says where it leads: a terminal shows no address on pointing at it. */
function link(
  label: string,
  { href, text: written }: { readonly href: string; readonly text: string },
  color: Palette,
): string {
  const to = laid(href)
  if (written === to || `mailto:${written}` === to) return color.underline(label)
  return label === "" ? color.underline(to) : `${color.underline(label)} ${color.dim(`(${to})`)}`
}

function text(token: Token): string {
  const said = "text" in token && typeof token.text === "string" ? token.text : token.raw
  return laid(said.replace(/&(?:amp|lt|gt|quot|#39|nbsp);/g, (name) => REFERENCES[name] ?? name))
}
