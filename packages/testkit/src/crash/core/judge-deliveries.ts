import type { ChildFinished } from "@rouse/protocol"
import type { EntityLog, History, SentMessage, Violation } from "./history.ts"
import { groupBy, rowsOf } from "./replay.ts"
import { CHILD, SINK, dutiesOf, jointDutiesOf, noteOf, sinkOf } from "./work.ts"

/** P2 for what stays inside: sends, delayed sends and spawns by handlers and by the model, and the news of a child's end. */
export function judgeDeliveries(history: History): readonly Violation[] {
  const notes = notesOf(history.logs)
  const children = history.logs.filter(({ type }) => type === CHILD)
  return [
    ...judgeNotes(history, notes),
    ...judgeChildren(history, children),
    ...history.sent
      .filter((sent) => isOwed(sent, history))
      .flatMap((sent) => judgeDuties(sent, history, notes, children)),
    ...judgeNonces(notes),
  ]
}

interface Delivered {
  readonly url: string
  readonly nonce?: string
}

/** What arrived at the sinks, by ref. */
function notesOf(logs: readonly EntityLog[]): ReadonlyMap<string, readonly Delivered[]> {
  const notes = new Map<string, Delivered[]>()
  for (const log of logs.filter(({ type }) => type === SINK)) {
    for (const row of rowsOf(log, "message")) {
      const note = noteOf(row.content)
      if (note === undefined) continue
      const list = notes.get(note.ref) ?? []
      notes.set(note.ref, list)
      list.push({ url: log.url, ...(note.nonce === undefined ? {} : { nonce: note.nonce }) })
    }
  }
  return notes
}

/** A queued message is always one of the wake's own; one that steers may join a run whose handler never sees it. */
export function isOwed({ mode, accepted, to, key }: SentMessage, { logs, loose }: History): boolean {
  if (mode !== "queue" || !accepted) return false
  if (!loose) return true
  const log = logs.find(({ url }) => url === to)
  return log !== undefined && rowsOf(log, "message").some(({ id, status }) => id === key && status === "processed")
}

/** Nothing arrived twice, and what the model sent arrived. */
function judgeNotes({ logs, loose }: History, notes: ReadonlyMap<string, readonly Delivered[]>): readonly Violation[] {
  const twice = [...notes].filter(([, list]) => list.length > 1)
  const sends = logs.flatMap((log) =>
    rowsOf(log, "tool_call")
      .filter(({ name }) => name === "send")
      .map((row) => ({ log, row })),
  )
  return [
    ...twice.map(([ref, list]): Violation => ({
      rule: "P2",
      where: ref,
      what: `arrived ${list.length} times at ${list[0]?.url}`,
    })),
    ...sends.flatMap(({ log, row }): Violation[] => {
      const ref = (row.input as { readonly content?: string }).content ?? ""
      if (row.status === "done" && notes.has(ref)) return []
      if (loose && row.status !== "done" && !notes.has(ref)) return []
      return [
        {
          rule: "P2",
          where: `${log.url} ${row.id}`,
          what: `the model's send of ${ref} is ${row.status} and ${notes.has(ref) ? "arrived" : "did not arrive"}`,
        },
      ]
    }),
  ]
}

/** The duties of one message: each done once. */
function judgeDuties(
  { name, to }: SentMessage,
  { joint }: History,
  notes: ReadonlyMap<string, readonly Delivered[]>,
  children: readonly EntityLog[],
): readonly Violation[] {
  const { before, after, later, child } = dutiesOf(name)
  const sink = sinkOf(to.split("/")[2] ?? "")
  const shared = joint === undefined ? [] : Object.values(jointDutiesOf(name))
  const missing = [before, after, ...(later === undefined ? [] : [later]), ...shared].filter(
    (ref) => notes.get(ref)?.[0]?.url !== sink,
  )
  const faults = missing.map((ref): Violation => ({
    rule: "P2",
    where: `${to} ${name}`,
    what: `the send ${ref} never arrived at ${sink}`,
  }))
  const made = child === undefined ? 1 : children.filter((log) => argsRef(log) === child).length
  return made === 1
    ? faults
    : [...faults, { rule: "P2", where: `${to} ${name}`, what: `the child ${child} was made ${made} times` }]
}

/** A step's result is remembered: what a wake sends before and after a crash says the same. */
function judgeNonces(notes: ReadonlyMap<string, readonly Delivered[]>): readonly Violation[] {
  return [...notes].flatMap(([ref, [note]]): Violation[] => {
    if (!ref.endsWith(".after")) return []
    const before = notes.get(ref.replace(/after$/, "before"))?.[0]
    if (before === undefined || before.nonce === note?.nonce) return []
    return [
      {
        rule: "P2",
        where: ref,
        what: `was sent with another step result than its first half: ${before.nonce} and ${note?.nonce}`,
      },
    ]
  })
}

/** Each child has its one message, and its parent was told once of each of its runs. */
function judgeChildren({ logs, loose }: History, children: readonly EntityLog[]): readonly Violation[] {
  const byUrl = new Map(logs.map((log) => [log.url, log]))
  const spawns = logs.flatMap((log) =>
    rowsOf(log, "tool_call")
      .filter(({ name }) => name === "spawn")
      .map((row) => ({ log, row })),
  )
  return [
    ...children.flatMap((child) => judgeChild(child, byUrl, loose ?? false)),
    ...twiceMade(children),
    ...spawns.flatMap(({ log, row }): Violation[] => {
      const url = `/${CHILD}/${(row.input as { readonly id?: string }).id ?? ""}`
      if (row.status === "done" && byUrl.has(url)) return []
      if (loose && row.status !== "done" && !byUrl.has(url)) return []
      // A fork and its original make children of the same names: whoever comes second is refused. The first is judged with its own family.
      if (row.error?.includes("exists with another parent") && !byUrl.has(url)) return []
      return [
        {
          rule: "P2",
          where: `${log.url} ${row.id}`,
          what: `the model's spawn of ${url} is ${row.status} and ${byUrl.has(url) ? "was made" : "was not made"}`,
        },
      ]
    }),
  ]
}

/** How a child's run may end when people interrupt, deny and stop. */
const LOOSE_ENDS: ReadonlySet<string> = new Set(["interrupted", "failed", "stopped"])

function judgeChild(child: EntityLog, byUrl: ReadonlyMap<string, EntityLog>, loose: boolean): readonly Violation[] {
  const broken = (what: string): Violation => ({ rule: "P2", where: child.url, what })
  const faults: Violation[] = []
  // What a person or a grandchild told it is no message of its spawn.
  const messages = rowsOf(child, "message").filter(({ kind }) => kind === "message").length
  if (messages !== 1) faults.push(broken(`has ${messages} messages, not the one of its spawn`))
  const runs = rowsOf(child, "run").length
  const parent = byUrl.get(rowsOf(child, "entity")[0]?.parent ?? "")
  if (parent === undefined) return [...faults, broken("has no parent")]
  // Who is stopped is told nothing more.
  if (parent.status === "stopped") return faults
  const told = rowsOf(parent, "message").filter(
    ({ kind, content }) => kind === "childFinished" && (content as unknown as ChildFinished).url === child.url,
  ).length
  // One that is interrupted with its parent does not rouse it.
  const ended = rowsOf(child, "run").filter(({ status }) => status !== "interrupted").length
  if (told > runs || told < (loose ? Math.min(ended, runs) : runs))
    faults.push(broken(`ended ${runs} runs, and its parent was told ${told} times`))
  const row = rowsOf(parent, "child").find(({ url }) => url === child.url)
  if (row?.status !== "completed" && !(loose && row && LOOSE_ENDS.has(row.status)))
    faults.push(broken(`is ${row?.status ?? "missing"} in its parent's children`))
  return faults
}

function twiceMade(children: readonly EntityLog[]): readonly Violation[] {
  const byRef = groupBy(children, argsRef)
  return [...byRef].flatMap(([ref, list]): Violation[] =>
    ref === undefined || list.length === 1
      ? []
      : [
          {
            rule: "P2",
            where: ref,
            what: `was spawned ${list.length} times: ${list.map(({ url }) => url).join(", ")}`,
          },
        ],
  )
}

function argsRef(child: EntityLog): string | undefined {
  const ref = rowsOf(child, "entity")[0]?.args["ref"]
  return typeof ref === "string" ? ref : undefined
}
