import type { MessageRow } from "@rouse/protocol"
import type { EntityLog, History, SentMessage, Violation } from "./history.ts"
import { valuesOf } from "./replay.ts"
import { messageName } from "./work.ts"

const TERMINAL: ReadonlySet<MessageRow["status"]> = new Set(["processed", "cancelled", "dead"])

/** Where a message of the driver's is on the logs. */
interface Place {
  readonly url: string
  readonly key: string
  readonly row: MessageRow
}

/** P1: every accepted message is on one log, once, and came to one end, which was that it was processed. */
export function judgeMessages(history: History): readonly Violation[] {
  const places = placesOf(history.logs)
  return [
    ...history.sent.flatMap((sent) => judgeSent(sent, places.get(sent.name) ?? [], history)),
    ...history.logs.flatMap((log) => judgeEnds(log, history)),
    ...history.logs.flatMap((log) => judgeRuns(log, history)),
  ]
}

export interface Counts {
  readonly settled: number
  readonly lost: number
  readonly duplicated: number
}

/** How many of the driver's messages came to their end, to none, and were there more than once. */
export function countMessages(history: History): Counts {
  const places = placesOf(history.logs)
  const found = history.sent.map((sent) => places.get(sent.name) ?? [])
  const settled = found.filter((list) => list.some(({ row }) => TERMINAL.has(row.status))).length
  return { settled, lost: history.sent.length - settled, duplicated: found.filter((list) => list.length > 1).length }
}

function placesOf(logs: readonly EntityLog[]): ReadonlyMap<string, readonly Place[]> {
  const places = new Map<string, Place[]>()
  for (const log of logs) {
    for (const [key, values] of valuesOf(log, "message")) {
      const row = values.at(-1)
      const name = row?.kind === "message" && row.from.kind !== "agent" ? messageName(row.content) : undefined
      if (!row || name === undefined) continue
      const list = places.get(name) ?? []
      places.set(name, list)
      list.push({ url: log.url, key, row })
    }
  }
  return places
}

function judgeSent(sent: SentMessage, places: readonly Place[], { loose }: History): readonly Violation[] {
  const broken = (what: string): Violation => ({ rule: "P1", where: `${sent.name} to ${sent.to}`, what })
  const [place] = places
  if (!sent.accepted) return [broken(`was never accepted, after ${sent.tries} tries`)]
  if (place === undefined) return [broken(`was accepted (${sent.way}) and is on no log`)]
  if (places.length > 1)
    return [broken(`is there ${places.length} times: ${places.map(({ url, key }) => `${url} ${key}`).join(", ")}`)]
  const faults: Violation[] = []
  if (place.url !== sent.to) faults.push(broken(`is on the log of ${place.url}`))
  if (sent.key !== undefined && sent.key !== place.key)
    faults.push(broken(`was answered ${sent.key} and is ${place.key}`))
  if (sent.repeatedKey !== undefined && sent.repeatedKey !== place.key)
    faults.push(broken(`sent again, was answered ${sent.repeatedKey}`))
  if (place.row.status !== "processed" && !loose)
    faults.push(broken(`ended ${place.row.status}: ${place.row.reason ?? "no reason"}`))
  const { settled } = sent
  if (settled !== undefined && TERMINAL.has(settled as MessageRow["status"]) && settled !== place.row.status) {
    faults.push(broken(`was answered ${settled} and is ${place.row.status}`))
  }
  return faults
}

/** Every message of every inbox, also those that agents sent: one terminal event, and nothing after it. */
function judgeEnds(log: EntityLog, { loose }: History): readonly Violation[] {
  return [...valuesOf(log, "message")].flatMap(([key, values]) => {
    const broken = (what: string): Violation[] => [{ rule: "P1", where: `${log.url} ${key}`, what }]
    const ends = values.filter((row) => row !== null && TERMINAL.has(row.status)).length
    if (ends !== 1)
      return broken(`has ${ends} terminal events: ${values.map((row) => row?.status ?? "deleted").join(", ")}`)
    const last = values.at(-1)
    if (loose && last)
      return last.status === "processed" || last.reason ? [] : broken(`ended ${last.status}: no reason`)
    if (last?.status !== "processed") return broken(`ended ${last?.status ?? "deleted"}`)
    return []
  })
}

/** A run closes once, and after that nothing of it changes. */
function judgeRuns(log: EntityLog, { loose }: History): readonly Violation[] {
  return [...valuesOf(log, "run")].flatMap(([key, values]) => {
    const broken = (what: string): Violation[] => [{ rule: "P1", where: `${log.url} ${key}`, what }]
    const ends = values.filter((row) => row === null || (row.status !== "running" && row.status !== "suspended")).length
    if (ends !== 1) return broken(`closed ${ends} times: ${values.map((row) => row?.status ?? "deleted").join(", ")}`)
    const last = values.at(-1)
    return last?.status === "completed" || loose
      ? []
      : broken(`ended ${last?.status ?? "deleted"}: ${last?.error?.message ?? ""}`)
  })
}
