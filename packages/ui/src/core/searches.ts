import type { UsageBy } from "@rouse/protocol"
import { filterIn } from "./list-filter.ts"
import type { AgentsFilter } from "./list-filter.ts"

/** What the addresses of the page's screens may say behind the question mark. What they say wrongly is left out. */

type Raw = Readonly<Record<string, unknown>>

/** Of the list of agents: kept while agents are opened beside it. */
export function listSearch(raw: Raw): AgentsFilter {
  return filterIn(raw)
}

export function typeSearch(raw: Raw): { readonly type?: string } {
  return text(raw, "type")
}

export const RANGES = { "1d": 1, "7d": 7, "30d": 30, all: undefined } as const
export type Range = keyof typeof RANGES

export interface SpendSearch {
  readonly by?: UsageBy
  readonly range?: Range
  readonly of?: "usd" | "tokens"
}

export function spendSearch(raw: Raw): SpendSearch {
  return {
    ...oneOf(raw, "by", ["model", "type", "entity", "tree"] as const),
    ...oneOf(raw, "range", ["1d", "7d", "30d", "all"] as const),
    ...oneOf(raw, "of", ["usd", "tokens"] as const),
  }
}

export const AGENT_VIEWS = ["timeline", "state", "tree", "log", "compare"] as const
export type AgentView = (typeof AGENT_VIEWS)[number]

export interface AgentSearch {
  readonly view?: AgentView
  /** An offset: the page shows the agent as it was there. */
  readonly at?: string
  /** The collection that is open among the state. */
  readonly collection?: string
  /** The agent that it is compared with. */
  readonly with?: string
}

export function agentSearch(raw: Raw): AgentSearch {
  return {
    ...oneOf(raw, "view", AGENT_VIEWS),
    ...text(raw, "at"),
    ...text(raw, "collection"),
    ...text(raw, "with"),
  }
}

function text<Name extends string>(raw: Raw, name: Name): { readonly [K in Name]?: string } {
  const value = raw[name]
  return (typeof value === "string" && value !== "" ? { [name]: value } : {}) as { readonly [K in Name]?: string }
}

function oneOf<Name extends string, Value extends string>(
  raw: Raw,
  name: Name,
  values: readonly Value[],
): { readonly [K in Name]?: Value } {
  const value = values.find((candidate) => candidate === raw[name])
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in Name]?: Value }
}
