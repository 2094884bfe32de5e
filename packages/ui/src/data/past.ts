import { applyChanges, emptyTimeline } from "@rouse/client"
import type { Client, Timeline } from "@rouse/client"
import type { EntityUrl, Offset, Row } from "@rouse/protocol"
import { useEffect, useState } from "react"
import { useApp } from "./app.tsx"

/** An agent as it was at an offset of its log. */
export interface Past {
  readonly offset: Offset
  readonly timeline: Timeline
  readonly rows: readonly Row[]
}

export interface PastState {
  /** What was asked for last and is there: not yet what is asked for, while that is on its way. */
  readonly past?: Past
  readonly error?: unknown
}

const KEPT_MAX = 40
/** Of each client, so that a token that is forgotten takes what it saw with it. */
const kept = new WeakMap<Client, Map<string, Past>>()

/** The agent at an offset; nothing without one. The newest question counts: an older one is given up. */
export function usePast(url: EntityUrl, at: string | undefined): PastState {
  const { client } = useApp()
  const [state, setState] = useState<PastState>({})
  useEffect(() => {
    if (at === undefined) {
      setState({})
      return undefined
    }
    const given = new AbortController()
    readPast(client, url, at as Offset, given.signal).then(
      (past) => given.signal.aborted || setState({ past }),
      (error: unknown) => given.signal.aborted || setState({ error }),
    )
    return () => given.abort()
  }, [client, url, at])
  return at === undefined ? {} : state
}

async function readPast(client: Client, url: EntityUrl, at: Offset, signal: AbortSignal): Promise<Past> {
  const known = kept.get(client) ?? new Map<string, Past>()
  kept.set(client, known)
  const name = `${url} ${at}`
  const found = known.get(name)
  if (found) return found
  const { rows } = await client.state(url, undefined, { at, ordered: true, signal })
  const past = { offset: at, rows, timeline: applyChanges(emptyTimeline(), rows.map(asInsert)) }
  known.set(name, past)
  for (const oldest of known.keys()) {
    if (known.size <= KEPT_MAX) break
    known.delete(oldest)
  }
  return past
}

function asInsert({ collection, key, value }: Row) {
  return { type: collection, key, value, headers: { operation: "insert" } } as const
}
