import type { Effect } from "@rouse/protocol"
import type { EffectEntry } from "./effect-book.ts"
import type { History, Violation } from "./history.ts"
import { startTimes } from "./recovery.ts"
import { type ClassSummary, type CrashSummary, percentiles } from "./summary.ts"
import { TOOLS } from "./work.ts"

/** A message that a peer was sent. */
export interface PeerMessage {
  readonly name: string
  readonly agent: string
  /** Its script. */
  readonly content: string
}

/** What a conversation of a peer holds. */
export interface PeerThread {
  readonly agent: string
  /** Names of the messages, in order. */
  readonly messages: readonly string[]
  /** Whether something of it is not done. */
  readonly open: boolean
}

export interface PeerRemains {
  readonly sent: readonly PeerMessage[]
  readonly threads: readonly PeerThread[]
}

/** A piece of work that a message asked for, and what the outside ledger says of it, whatever keys it was done under. */
interface Asked {
  readonly message: string
  readonly ref: string
  readonly effect: Effect
  readonly executions: number
  readonly effects: number
}

/**
 * What a peer did, by the outside ledger and its own conversations, in the same figures as Rouse's. There is no log of calls to compare
 * with: a piece of work is known by its ref, which is in the message that asked for it.
 */
export function judgePeer(
  history: History,
  remains: PeerRemains,
  run: { readonly target: string; readonly seed: number; readonly kills: number },
): { readonly summary: CrashSummary; readonly violations: readonly Violation[] } {
  const asked = askedOf(remains.sent, history.effects)
  const held = remains.threads.flatMap(({ messages }) => messages)
  const isSettled = new Set(remains.threads.flatMap(({ messages, open }) => (open ? messages.slice(0, -1) : messages)))
  const lost = remains.sent.filter(({ name }) => !isSettled.has(name))
  const twice = remains.sent.filter(({ name }) => held.filter((one) => one === name).length > 1)
  const violations = [
    ...lost.map(({ name, agent }): Violation => ({ rule: "P1", where: `${agent} ${name}`, what: "never settled" })),
    ...twice.map(({ name, agent }): Violation => ({ rule: "P1", where: `${agent} ${name}`, what: "is there twice" })),
    ...asked.flatMap(judgeWork),
  ]
  const of = (effect: Effect): ClassSummary => classOf(asked.filter((work) => work.effect === effect))
  const summary: CrashSummary = {
    ...run,
    sent: remains.sent.length,
    settled: remains.sent.length - lost.length,
    lost: lost.length,
    duplicated: twice.length,
    byClass: { pure: of("pure"), idempotent: of("idempotent"), reconcilable: of("reconcilable"), once: of("once") },
    unknown: 0,
    interrupted: history.sent.filter(({ tries }) => tries > 1).length,
    prefixes: 0,
    violations: violations.length,
    recoveryMs: { p50: null, p99: null },
    startMs: percentiles(startTimes(history)),
  }
  return { summary, violations }
}

function askedOf(sent: readonly PeerMessage[], entries: readonly EffectEntry[]): readonly Asked[] {
  const byRef = Map.groupBy(entries, ({ ref }) => ref)
  return sent.flatMap(({ name, content }) =>
    [...content.matchAll(/^\/call (\w+) \{"ref":"([^"]+)"\}$/gm)].flatMap(([, tool = "", ref = ""]): Asked[] => {
      const effect = TOOLS[tool]?.effect
      if (effect === undefined) return []
      const done = byRef.get(ref) ?? []
      const sum = (of: (entry: EffectEntry) => number): number => done.reduce((total, entry) => total + of(entry), 0)
      return [{ message: name, ref, effect, executions: sum((e) => e.executions), effects: sum((e) => e.effects) }]
    }),
  )
}

function judgeWork({ message, ref, effect, executions, effects }: Asked): readonly Violation[] {
  const broken = (what: string): Violation[] => [{ rule: "P2", where: `${message} ${ref} (${effect})`, what }]
  if (executions === 0) return broken("never ran")
  if (effect === "once" && executions > 1) return broken(`ran ${executions} times`)
  // What is pure may run as often as it likes.
  if (effect !== "pure" && effects > 1) return broken(`had its effect ${effects} times`)
  return []
}

function classOf(works: readonly Asked[]): ClassSummary {
  const sum = (of: (work: Asked) => number): number => works.reduce((total, work) => total + of(work), 0)
  return {
    calls: works.length,
    executions: sum(({ executions }) => executions),
    effects: sum(({ effects }) => effects),
    duplicated: sum(({ effects }) => Math.max(0, effects - 1)),
    again: works.filter(({ executions }) => executions > 1).length,
    reconciled: 0,
    unknown: 0,
  }
}
