import type { ChangeNotice, Json, ObservedChange, SubscriptionRow } from "@rouse/protocol"
import { entityOfStream } from "@rouse/protocol"
import { filterOf, observed } from "@rouse/protocol/observe"
import type { EntityLog, History, Violation } from "./history.ts"
import { valuesOf } from "./replay.ts"

/**
 * P1 for observations: what an observer asked to be told of an agent, from the beginning of its log, was told once and in order. What was to
 * be told is found here from the agent's log alone.
 */
export function judgeObservations({ logs }: History): readonly Violation[] {
  return logs.flatMap((log) =>
    [...valuesOf(log, "subscription")].flatMap(([name, values]) => {
      const row = values.find((value) => value !== null)
      return row === undefined || row === null ? [] : judgeOne(log, name, row, logs)
    }),
  )
}

function judgeOne(
  log: EntityLog,
  name: string,
  row: SubscriptionRow,
  logs: readonly EntityLog[],
): readonly Violation[] {
  const broken = (what: string): Violation => ({ rule: "P1", where: `${log.url} observing ${name}`, what })
  const source = logs.find(({ url }) => url === entityOfStream(row.stream))
  const filter = filterOf({ name, ...row }, log.url)
  const due = (source?.events ?? []).flatMap((event) => observed(filter, event as unknown as Json) ?? [])
  const notices = noticesOf(log, name)
  const apart = notices.findIndex(({ from }, at) => at > 0 && from < (notices[at - 1]?.to ?? ""))
  if (apart > 0) return [broken(`was told of one range twice: ${JSON.stringify(notices[apart]?.from)}`)]
  const count = notices.reduce((sum, notice) => sum + notice.count, 0)
  // Whoever was stopped was told of what came before.
  if (log.status !== "stopped" && count !== due.length)
    return [broken(`was told of ${count} changes, and there were ${due.length}`)]
  return notices.flatMap((notice, at) => {
    const before = notices.slice(0, at).reduce((sum, { count: more }) => sum + more, 0)
    const wrong = notice.changes.findIndex((change, index) => textOf(change) !== textOf(due[before + index]))
    return wrong < 0
      ? []
      : [broken(`was told ${textOf(notice.changes[wrong])} in place of ${textOf(due[before + wrong])}`)]
  })
}

/** What was told, each message as it was last: until it is taken it may be added to. */
function noticesOf(log: EntityLog, name: string): readonly ChangeNotice[] {
  return [...valuesOf(log, "message").values()]
    .flatMap((values) => values.at(-1) ?? [])
    .filter(({ kind }) => kind === "change")
    .map(({ content }) => content as unknown as ChangeNotice)
    .filter(({ observation }) => observation === name)
}

function textOf(change: ObservedChange | undefined): string {
  const { collection, key, operation } = change ?? {}
  return change === undefined ? "nothing" : `${operation} of ${collection} ${key}`
}
