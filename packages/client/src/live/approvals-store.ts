import type { ApprovalQuery, EntityUrl, Json, WaitingApproval } from "@rouse/protocol"
import { RouseError } from "@rouse/protocol"
import type { Client } from "../client-type.ts"
import type { ApproveOptions } from "../steering.ts"
import type { Transport } from "../transport.ts"
import { createStore } from "./store.ts"
import type { LiveStore } from "./watched.ts"
import { watched } from "./watched.ts"

/** What waits for people. */
export interface ApprovalsState {
  readonly phase: "loading" | "live" | "failed"
  readonly connected: boolean
  /** Those that have waited longest first, and without those that were just decided here. At most 1,000. */
  readonly approvals: readonly WaitingApproval[]
  /** The last decision that the server refused. */
  readonly refused?: RouseError
  readonly error?: RouseError
}

/** Which approval is meant. */
export interface ApprovalRef {
  readonly entity: EntityUrl
  readonly approval: { readonly call: string }
}

export interface ApprovalsActions {
  /** Decides, and shows the approval no more. When the server refuses it is there again, and `refused` says why. Never rejects. */
  readonly decide: (
    which: ApprovalRef,
    decision: "allow" | "deny",
    note?: string,
    options?: ApproveOptions,
  ) => Promise<void>
  /** Answers a question, in the same way. */
  readonly answer: (which: ApprovalRef, answer: Json, note?: string) => Promise<void>
}

export interface ApprovalsStore extends LiveStore<ApprovalsState>, ApprovalsActions {}

/** How many are shown at most. */
const APPROVALS_MAX = 1_000

/** Keeps what waits while anybody is subscribed: an agent that waits for people is suspended, so it is read anew when a suspended one changes. */
export function createApprovalsStore(
  client: Client,
  transport: Transport,
  query: Omit<ApprovalQuery, "after" | "limit">,
): ApprovalsStore {
  const store = createStore<ApprovalsState>({ phase: "loading", connected: true, approvals: [] })
  const decided = new Set<string>()

  async function read(signal: AbortSignal): Promise<void> {
    const found: WaitingApproval[] = []
    for await (const one of client.approvals(query, { signal })) {
      found.push(one)
      if (found.length === APPROVALS_MAX) break
    }
    const waiting = new Set(found.map(idOf))
    for (const id of decided) if (!waiting.has(id)) decided.delete(id)
    const approvals = found.filter((one) => !decided.has(idOf(one)))
    store.update(({ error: _error, ...state }) => ({ ...state, phase: "live", connected: true, approvals }))
  }

  async function run(signal: AbortSignal, progress: () => void): Promise<void> {
    const type = query.type === undefined ? {} : { type: query.type }
    const onInterrupted = (error: unknown): void => failed(error, true)
    let dirty = 0
    let reading: Promise<void> | undefined
    let failure: { readonly error: unknown } | undefined
    const readAll = async (): Promise<void> => {
      while (dirty > 0 && !signal.aborted) {
        dirty = 0
        await read(signal)
      }
    }
    for await (const _ of client.watch({ ...type, status: "suspended" }, { signal, onInterrupted })) {
      if (failure) throw failure.error
      progress()
      dirty++
      reading ??= readAll()
        .catch((error: unknown) => {
          failure = { error }
          failed(error, true)
        })
        .finally(() => {
          reading = undefined
        })
    }
  }

  function failed(error: unknown, again: boolean): void {
    store.update((state) => ({
      ...state,
      connected: false,
      ...(!again && { phase: "failed", error: errorOf(error) }),
    }))
  }

  const live = watched(store, transport, run, failed)

  async function deciding(which: ApprovalRef, act: () => Promise<void>): Promise<void> {
    const id = idOf(which)
    const shown = store.get().approvals.find((one) => idOf(one) === id)
    decided.add(id)
    store.update(({ refused: _refused, ...state }) => ({
      ...state,
      approvals: state.approvals.filter((one) => idOf(one) !== id),
    }))
    try {
      await act()
    } catch (error) {
      decided.delete(id)
      store.update((state) => ({
        ...state,
        refused: errorOf(error),
        approvals:
          shown && !state.approvals.includes(shown) ? [...state.approvals, shown].sort(byAge) : state.approvals,
      }))
    }
  }

  return {
    ...live,
    decide: (which, decision, note, options) =>
      deciding(which, () => client.approve(which.entity, which.approval.call, decision, note, options)),
    answer: (which, answer, note) =>
      deciding(which, () => client.answer(which.entity, which.approval.call, answer, { note })),
  }
}

function idOf({ entity, approval }: ApprovalRef): string {
  return `${entity} ${approval.call}`
}

function byAge(a: WaitingApproval, b: WaitingApproval): number {
  return a.approval.at < b.approval.at ? -1 : 1
}

function errorOf(error: unknown): RouseError {
  return RouseError.is(error) ? error : new RouseError("INTERNAL", String(error), { cause: error })
}
