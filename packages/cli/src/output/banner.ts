import type { Colors } from "../io.ts"
import { facts } from "./facts.ts"

/** What a server that is ready says of itself. */
export interface BannerFacts {
  readonly version: string
  readonly url: string
  /** The data directory, as the person wrote it. */
  readonly data: string
  readonly types: readonly string[]
  /** Names of model keys. Never values. */
  readonly keys: readonly string[]
  /** Whether the page is built. */
  readonly page: boolean
  readonly resumed: number
}

/** A few lines: where the page is, where data are, what is served, and what to type next. */
export function banner(about: BannerFacts, color: Colors): string {
  const { bold, cyan, dim, green, yellow } = color
  const list = facts(
    [
      [about.page ? "page" : "server", cyan(about.url)],
      ["data", about.data],
      ["types", about.types.length > 0 ? about.types.join(", ") : yellow("none yet")],
      [
        "models",
        about.keys.length > 0 ? about.keys.join(", ") : `rouse/echo answers offline ${dim("(no model key is set)")}`,
      ],
      [
        "resumed",
        about.resumed === 0
          ? undefined
          : `${about.resumed} ${about.resumed === 1 ? "wake" : "wakes"} that a stop had interrupted`,
      ],
    ],
    color,
  )
  const [type] = about.types
  const next =
    type === undefined
      ? `Add a type: write agents.ts (${cyan("rouse init")} shows how), and start again.`
      : cyan(`rouse send /${type}/one "hello"`)
  return `\n${green("●")} ${bold("rouse")} ${dim(about.version)}\n\n${indent(list)}\n  ${next}\n\n`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ")
}
