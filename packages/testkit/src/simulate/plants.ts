import { type Json, type JsonObject, type MessageRow, type ScheduleRow, START, type ToolCallRow } from "@rouse/protocol"
import { NOTHING } from "@rouse/protocol/budget"
import type { Server } from "@rouse/server"
import type { Commit, ForkStreamOp, SpaceWrite, Store } from "@rouse/store"
import {
  editEvents,
  editOps,
  editRecords,
  editRow,
  withBudget,
  withCommits,
  withMember,
  withWake,
} from "./commit-edits.ts"
import type { ToolMistakes } from "./program.ts"
import type { World } from "./world.ts"

/** A mistake that is planted to see that the simulation finds it. It is in every server that is started, and lasts over crashes. */
export interface Plant {
  readonly store?: (store: Store, world: World) => Store
  readonly server?: (server: Server) => Server
  readonly tools?: ToolMistakes
}

/** How long a planted early acknowledgement is ahead of the commit. */
const EARLY_MS = 60
const DRIFT_MS = 137

const edited = (edit: (commit: Commit) => Commit): Plant => ({ store: (store) => withCommits(store, edit) })

export type PlantName =
  | "early-ack"
  | "forget-epoch"
  | "forget-version"
  | "dedupe-by-target"
  | "drop-second"
  | "settle-twice"
  | "lose-taken"
  | "rerun-once"
  | "blind-reconcile"
  | "forget-memos"
  | "tell-parent-twice"
  | "tell-parent-never"
  | "sweep-and-forget"
  | "forget-pending"
  | "timer-twice"
  | "forget-receipts"
  | "lose-result"
  | "forget-spend"
  | "lend-for-free"
  | "forget-extension"
  | "tick-twice"
  | "forget-catch-up"
  | "drift"
  | "tell-again"
  | "tell-the-tail"
  | "hand-out-twice"
  | "forget-lease"
  | "fork-the-end"
  | "fork-runs-again"
  | "count-twice"
  | "forget-answer"

/** The mistakes, by name. Each has been made by some system of this kind. */
export const PLANTS: Readonly<Record<PlantName, Plant>> = {
  /** A message is acknowledged before it is on disk. */
  "early-ack": {
    store: (store, world) =>
      withMember(store, "commit", (commit) => {
        const isSend = commit.ops.some(({ op }) => op === "putReceipt")
        if (!isSend || commit.ops.some(({ op }) => op === "createStream")) return store.commit(commit)
        const lost = world.random.chance(0.2)
        if (!lost) world.after(EARLY_MS, () => void store.commit(commit).catch(() => undefined))
        return Promise.resolve({ applied: true, streams: {} })
      }),
  },
  /** The epoch of a handler's commit is not checked. */
  "forget-epoch": edited((commit) => ({
    ...commit,
    guards: (commit.guards ?? []).filter(({ kind }) => kind !== "lease"),
  })),
  /** The version of an entity is not checked: the last writer wins. */
  "forget-version": edited((commit) => ({
    ...commit,
    guards: (commit.guards ?? []).filter(({ kind }) => kind !== "version"),
  })),
  /** Requests are told apart by whom they go to, not by their key. */
  "dedupe-by-target": { server: dedupingServer },
  /** The second of two messages that arrive while a wake is under way is not counted. */
  "drop-second": edited((commit) =>
    editRecords(commit, (record, { wake }) =>
      accepts(commit, record.url) && wake.phase.kind === "running" && wake.pending > 1
        ? withWake(record, { pending: wake.pending - 1 })
        : record,
    ),
  ),
  /** A message that is settled is settled again. */
  "settle-twice": edited((commit) =>
    editEvents(commit, (event) =>
      event.type === "message" && (event.value as { status?: string } | undefined)?.status === "processed"
        ? [event, event]
        : [event],
    ),
  ),
  /** What a wake had taken is forgotten when it is tried again. */
  "lose-taken": edited((commit) =>
    editRecords(commit, (record) => ({ ...record, control: { ...record.control, taken: null } })),
  ),
  /** A `once` tool runs again after a crash. */
  "rerun-once": { tools: { rerunOnce: true } },
  /** A reconcilable tool is not asked what happened. */
  "blind-reconcile": { tools: { blindReconcile: true } },
  /** A retried wake does not know what it had sent. */
  "forget-memos": edited((commit) => editOps(commit, (op) => (isMemo(op) ? undefined : op))),
  /** A parent is told of a child's end twice. */
  "tell-parent-twice": edited((commit) =>
    editEvents(commit, (event) => {
      const row = event.value as MessageRow | undefined
      if (event.type !== "message" || event.headers.operation !== "insert" || row?.kind !== "childFinished")
        return [event]
      return [event, { ...event, key: `${event.key}b`, value: { ...row, id: `${event.key}b` } as never }]
    }),
  ),
  /** A parent is never told. */
  "tell-parent-never": edited((commit) =>
    editRecords(commit, (record) => ({ ...record, control: { ...record.control, notify: false } })),
  ),
  /** A swept lease leaves the wake without an end, and nobody takes it up again. */
  "sweep-and-forget": edited((commit) =>
    editRecords(commit, (record, { wake }) =>
      wake.phase.kind === "queued" && (wake.phase.wake?.losses ?? 0) > 0
        ? { ...withWake(record, { phase: { kind: "idle" } }), status: "idle", dueAtMs: null }
        : record,
    ),
  ),
  /** A wake that finishes does not look at what arrived meanwhile. */
  "forget-pending": edited((commit) =>
    editRecords(commit, (record, { wake }) =>
      isLeased(commit, record.url) && wake.phase.kind === "queued" && wake.phase.wake?.attempt === 1
        ? { ...withWake(record, { phase: { kind: "idle" } }), status: "idle", dueAtMs: null }
        : record,
    ),
  ),
  /** A timer that fired is still armed. */
  "timer-twice": { store: forgetfulTimers },
  /** What a request with an idempotency key was answered is not remembered. */
  "forget-receipts": edited((commit) => editOps(commit, (op) => (op.op === "putReceipt" ? undefined : op))),
  /** The result of a tool call is on no log. */
  "lose-result": edited((commit) =>
    editEvents(commit, (event) =>
      event.type === "tool_call" && (event.value as { status?: string } | undefined)?.status === "done" ? [] : [event],
    ),
  ),
  /** What model calls used is not remembered. */
  "forget-spend": edited((commit) => editRecords(commit, (record) => withBudget(record, () => ({ spent: NOTHING })))),
  /** What a child was given is still its parent's. */
  "lend-for-free": edited((commit) => editRecords(commit, (record) => withBudget(record, () => ({ lent: NOTHING })))),
  /** What people allow is not added. */
  "forget-extension": edited((commit) =>
    editRecords(commit, (record) => withBudget(record, ({ base }) => ({ limits: base }))),
  ),
  /** An occurrence of a schedule is sent twice. */
  "tick-twice": edited((commit) =>
    editEvents(commit, (event) => {
      const row = event.value as MessageRow | undefined
      if (event.type !== "message" || event.headers.operation !== "insert" || !row?.schedule) return [event]
      return [event, { ...event, key: `${event.key}b`, value: { ...row, id: `${event.key}b` } as never }]
    }),
  ),
  /** What a schedule is to do about missed occurrences is forgotten: only the newest is made up for. */
  "forget-catch-up": edited((commit) =>
    editOps(commit, (op) => editRow(op, "schedule", (value) => ({ ...(value as JsonObject), catchUp: "once" }))),
  ),
  /** A schedule's next occurrence is counted from when the last was handled. */
  drift: edited((commit) =>
    editEvents(editOps(commit, driftedOp), (event) =>
      event.type === "schedule" && event.value ? [{ ...event, value: drifted(event.value) }] : [event],
    ),
  ),
  /** A change that was told is told again. */
  "tell-again": {
    store: (store, world) => withCommits(store, (commit) => editOps(commit, (op) => forgetfulCursor(op, world))),
  },
  /** What came while a change was told is taken for told. */
  "tell-the-tail": edited((commit) => ({ ...commit, ops: commit.ops.flatMap(tailCursor) })),
  /** A call that a worker has is still in its queue. */
  "hand-out-twice": edited((commit) =>
    editOps(commit, (op) => (op.op === "putWork" ? { ...op, item: { ...op.item, open: true } } : op)),
  ),
  /** Nobody looks when a worker's lease ends. */
  "forget-lease": edited((commit) =>
    editOps(commit, (op) => (op.op === "putTimer" && op.timer.id.startsWith("work:") ? undefined : op)),
  ),
  /** A fork's log has all of its original's. */
  "fork-the-end": edited((commit) => editOps(commit, (op) => (op.op === "forkStream" ? atTheEnd(op) : op))),
  /** A fork takes calls up that were open at its point, whatever their class. */
  "fork-runs-again": edited((commit) =>
    commit.ops.some(({ op }) => op === "forkStream")
      ? editEvents(
          editOps(commit, (op) => editRow(op, "tool_call", takenUp)),
          (event) =>
            event.type === "tool_call" && event.value ? [{ ...event, value: takenUp(event.value) }] : [event],
        )
      : commit,
  ),
  /** A counter of a shared space is incremented twice now and then. */
  "count-twice": {
    store: (store, world) =>
      withCommits(store, (commit) =>
        editWrites(commit, (write) =>
          write.kind === "increment" && world.random.chance(0.1) ? { ...write, by: 2 * write.by } : write,
        ),
      ),
  },
  /** What a question was answered is not remembered. */
  "forget-answer": edited((commit) =>
    editOps(commit, (op) => (isMemo(op) && op.op === "putRow" && op.key.includes(":ask:") ? undefined : op)),
  ),
}

function atTheEnd(op: ForkStreamOp): ForkStreamOp {
  const { offset: _, subOffset: __, ...rest } = op
  return rest
}

function takenUp(value: Json): Json {
  const { endedAt: _, error: __, resolved: ___, ...call } = value as unknown as ToolCallRow
  if (call.status !== "unknown") return value
  return { ...call, status: "intended", effect: "idempotent" }
}

/** What an observation was told of, and its cursor, are not written together: now and then the cursor stays behind. */
function forgetfulCursor(op: Commit["ops"][number], world: World): Commit["ops"][number] {
  if (op.op !== "observation" || op.change.kind !== "put" || op.change.record.cursor === null) return op
  if (!world.random.chance(0.2)) return op
  return { ...op, change: { ...op.change, record: { ...op.change.record, cursor: null } } }
}

/** An observation's cursor goes to the end of what is there, not of what was told. */
function tailCursor(op: Commit["ops"][number]): readonly Commit["ops"][number][] {
  if (op.op !== "observation" || op.change.kind !== "put") return [op]
  const { record } = op.change
  if (record.cursor === null || record.cursor === START) return [op]
  const { url, name } = record
  const anew = { ...op, change: { ...op.change, record: { ...record, cursor: null } } }
  return [{ op: "observation", change: { kind: "drop", url, name } }, anew]
}

/** A schedule's next occurrence moved by as much as its handling took. */
function driftedOp(op: Commit["ops"][number]): Commit["ops"][number] {
  if (op.op === "putTimer" && op.timer.id.startsWith("schedule:"))
    return { ...op, timer: { ...op.timer, dueAtMs: op.timer.dueAtMs + DRIFT_MS } }
  return editRow(op, "schedule", drifted)
}

function drifted(value: Json): Json {
  const row = value as unknown as ScheduleRow
  return { ...row, dueAt: new Date(Date.parse(row.dueAt) + DRIFT_MS).toISOString() }
}

function accepts(commit: Commit, url: string): boolean {
  return commit.ops.some(
    (op) =>
      op.op === "putRow" &&
      op.url === url &&
      op.collection === "message" &&
      (op.value as unknown as MessageRow).status === "accepted",
  )
}

function isLeased({ guards = [] }: Commit, url: string): boolean {
  return guards.some((guard) => guard.kind === "lease" && guard.url === url)
}

/** The commit with what it writes to shared spaces changed. */
function editWrites(commit: Commit, edit: (write: SpaceWrite) => SpaceWrite): Commit {
  return editOps(commit, (op) =>
    op.op === "space" && op.change.kind === "write"
      ? { ...op, change: { ...op.change, writes: op.change.writes.map(edit) } }
      : op,
  )
}

function isMemo(op: Commit["ops"][number]): boolean {
  return op.op === "putRow" && op.collection === "memo"
}

function forgetfulTimers(store: Store): Store {
  const fired = new Set<string>()
  return withCommits(store, (commit) =>
    editOps(commit, (op) => {
      if (op.op !== "deleteTimer" || fired.has(op.id)) return op
      fired.add(op.id)
      return undefined
    }),
  )
}

function dedupingServer(server: Server): Server {
  const answers = new Map<string, { readonly status: number; readonly text: string }>()
  return {
    ...server,
    fetch: async (request) => {
      const key = request.url
      if (!key.includes("/messages")) return await server.fetch(request)
      const known = answers.get(key)
      if (known) return new Response(known.text, { status: known.status })
      const response = await server.fetch(request)
      const text = await response.text()
      if (response.ok) answers.set(key, { status: response.status, text })
      return new Response(text, { status: response.status })
    },
  }
}
