import type { EntityStatus } from "@rouse/protocol"
import { STATUS_NAMES } from "./status.ts"

/** Which agents a list shows. The server is asked for them. */
export interface AgentsFilter {
  readonly type?: string
  readonly status?: EntityStatus
  /** What was written in the search field: words of the address, and `tag:name` or `tag:name=value`. */
  readonly search?: string
}

/** A filter under a name. */
export interface SavedView {
  readonly name: string
  readonly filter: AgentsFilter
}

/** Views that everybody has. */
export const COMMON_VIEWS: readonly SavedView[] = [
  { name: "All agents", filter: {} },
  { name: "At work", filter: { status: "running" } },
  { name: "Waiting for someone", filter: { status: "suspended" } },
  { name: "Dead", filter: { status: "dead" } },
]

/** What a filter asks the server for. */
export function queryOf({ type, status, search = "" }: AgentsFilter): {
  readonly type?: string
  readonly status?: EntityStatus
  readonly tag?: string
  readonly text?: string
} {
  const words = search.split(/\s+/).filter(Boolean)
  const tag = words.find((word) => word.startsWith("tag:"))?.slice("tag:".length)
  const text = words.filter((word) => !word.startsWith("tag:")).join(" ")
  return {
    ...(type !== undefined && { type }),
    ...(status !== undefined && { status }),
    ...(tag && { tag }),
    ...(text && { text }),
  }
}

/** The filter that an address or a browser's storage holds; what is no filter in it is left out. */
export function filterIn(raw: Readonly<Record<string, unknown>>): AgentsFilter {
  const { type, search } = raw
  const status = STATUS_NAMES.find((name) => name === raw["status"])
  return {
    ...(typeof type === "string" && type !== "" && { type }),
    ...(status !== undefined && { status }),
    ...(typeof search === "string" && search !== "" && { search }),
  }
}

export function isSameFilter(a: AgentsFilter, b: AgentsFilter): boolean {
  return a.type === b.type && a.status === b.status && (a.search ?? "") === (b.search ?? "")
}

export function isNarrowed({ type, status, search = "" }: AgentsFilter): boolean {
  return type !== undefined || status !== undefined || search.trim() !== ""
}
