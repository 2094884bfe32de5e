import type { Row } from "@rouse/protocol"
import { useEffect, useState } from "react"
import type { AgentState } from "./agent.ts"
import { useApp } from "./app.tsx"

/** An agent at work changes its rows many times a second; they are read at most this often. */
const EVERY_MS = 700

/** An agent's rows, read anew as its log grows. */
export function useRows({ url, offset }: AgentState, wanted: boolean): readonly Row[] | undefined {
  const { client } = useApp()
  const [rows, setRows] = useState<readonly Row[]>()
  const [due, setDue] = useState(offset)
  useEffect(() => {
    if (due === offset) return undefined
    const timer = setTimeout(() => setDue(offset), EVERY_MS)
    return () => clearTimeout(timer)
    // The first change is waited for; those that follow in that time come with it.
  }, [due, offset])
  useEffect(() => {
    if (!wanted) return undefined
    const given = new AbortController()
    client
      .state(url, undefined, { signal: given.signal })
      .then(({ rows: read }) => given.signal.aborted || setRows(read))
      .catch((error: unknown) => given.signal.aborted || console.warn("The state could not be read.", error))
    return () => given.abort()
  }, [client, url, wanted, due])
  return rows
}
