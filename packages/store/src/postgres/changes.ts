/** What one replica tells the others of its commits: only which things changed, never what they are. */
export interface Changes {
  /** Who tells. */
  readonly replica: string
  /** Numbers of streams' paths. */
  readonly streams: readonly number[]
  /** Addresses of entities. */
  readonly entities: readonly string[]
  readonly subscriptionDueAtMs: number | null
  readonly observationDueAtMs: number | null
  /** When the earliest thing falls due that was left for whoever has room. */
  readonly dueAtMs?: number | null
  /** Whether a session began or ended. */
  readonly replicas?: boolean
  /** It says that it listens; `asks`: and wants to know who else does. */
  readonly greets?: "says" | "asks"
}

/** Bytes of one notification: Postgres takes fewer than 8000. */
const PAYLOAD_BYTES_MAX = 7_900

/** As few notifications as hold them. What is too long for one by itself is left to those who look. */
export function encodeChanges(changes: Changes): string[] {
  const text = JSON.stringify(changes)
  if (bytesIn(text) <= PAYLOAD_BYTES_MAX) return [text]
  const { streams, entities } = changes
  if (streams.length + entities.length <= 1) return []
  const half = <T>(list: readonly T[]): readonly [readonly T[], readonly T[]] => {
    const middle = Math.ceil(list.length / 2)
    return [list.slice(0, middle), list.slice(middle)]
  }
  const [s1, s2] = half(streams)
  const [e2, e1] = half(entities)
  return [
    ...encodeChanges({ ...changes, streams: s1, entities: e1 }),
    ...encodeChanges({ ...changes, streams: s2, entities: e2 }),
  ]
}

/** Undefined for what no replica sends. */
export function decodeChanges(text: string): Changes | undefined {
  try {
    const {
      replica,
      streams,
      entities,
      subscriptionDueAtMs = null,
      observationDueAtMs = null,
      dueAtMs = null,
      replicas = false,
      greets,
    } = JSON.parse(text) as Partial<Changes>
    if (typeof replica !== "string" || !Array.isArray(streams) || !Array.isArray(entities)) return undefined
    const rest = { subscriptionDueAtMs, observationDueAtMs, dueAtMs, replicas }
    return { replica, streams, entities, ...rest, ...(greets === undefined ? {} : { greets }) }
  } catch {
    return undefined
  }
}

function bytesIn(text: string): number {
  return new TextEncoder().encode(text).length
}
