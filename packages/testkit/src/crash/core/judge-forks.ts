import type { ChangeEvent, EntityUrl } from "@rouse/protocol"
import type { EntityLog, ForkLog, History, Violation } from "./history.ts"
import { judgeEffects } from "./judge-effects.ts"
import { judgeMessages } from "./judge-messages.ts"
import { judgeRest } from "./judge-rest.ts"
import { judgeTranscripts } from "./judge-transcripts.ts"
import { rowsOf } from "./replay.ts"
import { sinkOf } from "./work.ts"

/** A history without what forks did, and what each fork and those below it did. */
export interface Apart {
  readonly own: History
  readonly families: readonly (readonly EntityLog[])[]
}

/** Takes the forks out of a history: they do again what their originals do, for a world of their own. */
export function apart(history: History): Apart {
  const { forks = [], logs } = history
  if (forks.length === 0) return { own: history, families: [] }
  const families = forks.map(({ url }) => familyOf(url, logs))
  const urls = new Set(families.flatMap((family) => family.map(({ url }) => url)))
  const own = logs.filter(({ url }) => !urls.has(url))
  const keys = [keysOf(own), keysOf(families.flat())] as const
  return {
    families,
    own: {
      ...history,
      logs: own,
      rest: history.rest.filter(({ url }) => !urls.has(url)),
      effects: history.effects.filter(({ key }) => keys[0].has(key) || !keys[1].has(key)),
    },
  }
}

/** P8, P2: each fork has its original's history up to the point, no more, and does nothing of it again. */
export function judgeForks(history: History, { families, own }: Apart): readonly Violation[] {
  const forks = history.forks ?? []
  return forks.flatMap((fork, at) => {
    const family = families[at] ?? []
    const log = family.find(({ url }) => url === fork.url)
    if (log === undefined) return [{ rule: "P8" as const, where: fork.url, what: "the fork was made and is not there" }]
    return [...judgeBeginning(fork, log), ...judgeKeys(fork, log, own.logs), ...judgeFamily(history, family, fork)]
  })
}

/** Forks are of agents that people interrupt too, and what was open at the point ends as unknown or cancelled. */
function judgeFamily(history: History, logs: readonly EntityLog[], fork: ForkLog): readonly Violation[] {
  const keys = keysOf(logs)
  const urls = new Set(logs.map(({ url }) => url))
  const family: History = {
    ...history,
    logs,
    loose: true,
    forked: true,
    sent: [],
    effects: history.effects.filter(({ key }) => keys.has(key)),
    rest: history.rest.filter(({ url }) => urls.has(url)),
    nextDueAtMs: undefined,
  }
  // Leases and wakes of the original are not the fork's.
  const after = logs.map((log) =>
    log.url === fork.url ? { ...log, events: log.events.slice(fork.before.length) } : log,
  )
  return [
    ...judgeMessages(family),
    ...judgeEffects(family),
    ...judgeTranscripts(family),
    ...judgeRest({ ...family, logs: after }),
  ]
}

/** The original's events up to the point, and then the fork's own: it says at once whose fork it is. */
function judgeBeginning({ url, from, before }: ForkLog, log: EntityLog): readonly Violation[] {
  const broken = (what: string): Violation[] => [{ rule: "P8", where: url, what }]
  const wrong = before.findIndex((event, at) => JSON.stringify(event) !== JSON.stringify(log.events[at]))
  if (wrong >= 0) return broken(`event ${wrong} of its ${before.length} from ${from} is not what it was there`)
  const next = log.events.slice(before.length)
  const born = next.findIndex(({ type, key, headers }) => isBirth(type, key, headers.operation, url))
  if (born < 0) return broken(`does not say that it began, behind the ${before.length} events of ${from}`)
  const strange = next.slice(0, born).find(({ type, headers }) => headers.operation === "insert" && type !== "child")
  return strange ? broken(`has an event of ${from} from behind the point: ${strange.type} ${strange.key}`) : []
}

function isBirth(type: string, key: string, operation: string, url: string): boolean {
  return type === "entity" && key === url && operation === "insert"
}

/** What a fork calls anew has keys of its own. */
function judgeKeys({ url, before }: ForkLog, log: EntityLog, own: readonly EntityLog[]): readonly Violation[] {
  const known = new Set(before.flatMap(({ type, key }) => (type === "tool_call" ? [key] : [])))
  const theirs = keysOf(own)
  return rowsOf(log, "tool_call").flatMap(({ id, idempotencyKey }): Violation[] =>
    known.has(id) || !theirs.has(idempotencyKey)
      ? []
      : [{ rule: "P2", where: `${url} ${id}`, what: "is a new call with a key of its original's" }],
  )
}

function keysOf(logs: readonly EntityLog[]): ReadonlySet<string> {
  return new Set(logs.flatMap((log) => rowsOf(log, "tool_call").map(({ idempotencyKey }) => idempotencyKey)))
}

/** A fork, where its notes go, and all below them. */
function familyOf(url: EntityUrl, logs: readonly EntityLog[]): readonly EntityLog[] {
  const urls = new Set([url, sinkOf(url.split("/")[2] ?? "")])
  for (let size = 0; size !== urls.size;) {
    size = urls.size
    for (const log of logs) if (urls.has(parentOf(log) ?? "")) urls.add(log.url)
  }
  return logs.filter((log) => urls.has(log.url))
}

function parentOf(log: EntityLog): EntityUrl | undefined {
  const born = log.events.findLast((event: ChangeEvent) =>
    isBirth(event.type, event.key, event.headers.operation, log.url),
  )
  return (born?.value as { readonly parent?: EntityUrl | null } | undefined)?.parent ?? undefined
}
