import type { ChangeEvent, Json } from "@rouse/protocol"
import type { BudgetState } from "@rouse/protocol/budget"
import { type Commit, type EntityRecord, frameJson, type Op, parseJson, type Store } from "@rouse/store"

/** The store with one member put in place of its own. */
export function withMember<K extends keyof Store>(store: Store, member: K, value: Store[K]): Store {
  return new Proxy(store, {
    get: (target, name) => {
      if (name === member) return value
      const own: unknown = Reflect.get(target, name)
      return typeof own === "function" ? own.bind(target) : own
    },
  })
}

/** The store that changes each commit before it applies it. */
export function withCommits(store: Store, edit: (commit: Commit) => Commit): Store {
  return withMember(store, "commit", (commit) => store.commit(edit(commit)))
}

/** The commit with its operations changed; an operation that becomes none is left out. */
export function editOps(commit: Commit, edit: (op: Op) => Op | undefined): Commit {
  return { ...commit, ops: commit.ops.flatMap((op) => edit(op) ?? []) }
}

/** The operation with the row changed, if it writes one of this collection. */
export function editRow(op: Op, name: string, edit: (value: Json) => Json): Op {
  if (op.op !== "putRow" || op.collection !== name) return op
  const { url, collection, key, value } = op
  return { op: "putRow", url, collection, key, value: edit(value) }
}

/** The commit with the events on its logs changed. */
export function editEvents(commit: Commit, edit: (event: ChangeEvent) => readonly ChangeEvent[]): Commit {
  return editOps(commit, (op) => {
    if (
      (op.op !== "append" && op.op !== "createStream" && op.op !== "forkStream") ||
      op.data === undefined ||
      op.data.length === 0
    )
      return op
    const events = parseJson([op.data]) as unknown as readonly ChangeEvent[]
    const changed = events.flatMap(edit)
    return changed.length === 0 ? undefined : { ...op, data: frameJson(changed) }
  })
}

type ControlState = {
  readonly wake: {
    readonly pending: number
    readonly epoch: number
    readonly phase: { readonly kind: string; readonly wake?: { readonly attempt: number; readonly losses: number } }
  }
  readonly taken: readonly string[] | null
  readonly budget?: BudgetState
}

/** The commit with the control plane's state of its entities changed. */
export function editRecords(
  commit: Commit,
  edit: (record: Omit<EntityRecord, "version">, control: ControlState) => Omit<EntityRecord, "version">,
): Commit {
  return editOps(commit, (op) =>
    op.op === "putEntity" ? { ...op, record: edit(op.record, op.record.control as unknown as ControlState) } : op,
  )
}

/** The record with parts of its budget changed, if it has one. */
export function withBudget(
  record: Omit<EntityRecord, "version">,
  change: (budget: BudgetState) => Partial<BudgetState>,
): Omit<EntityRecord, "version"> {
  const { budget } = record.control as unknown as ControlState
  if (!budget) return record
  return { ...record, control: { ...record.control, budget: { ...budget, ...change(budget) } as never } }
}

/** The record with parts of its wake state changed, and what follows from it. */
export function withWake(
  record: Omit<EntityRecord, "version">,
  wake: Readonly<Record<string, unknown>>,
): Omit<EntityRecord, "version"> {
  const control = record.control as unknown as { readonly wake: object }
  return { ...record, control: { ...record.control, wake: { ...control.wake, ...wake } as never } }
}
