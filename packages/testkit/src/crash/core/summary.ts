import type { Effect } from "@rouse/protocol"
import type { History, Violation } from "./history.ts"
import { callsOf } from "./judge-effects.ts"
import type { JudgedCall } from "./judge-effects.ts"
import { countMessages } from "./judge-messages.ts"
import { countPrefixes } from "./judge-transcripts.ts"
import { recoveryTimes, startTimes, takeoverTimes } from "./recovery.ts"

/** Milliseconds. Null when there was nothing to measure. */
export interface Percentiles {
  readonly p50: number | null
  readonly p99: number | null
}

/** What became of the calls of one effect class. */
export interface ClassSummary {
  readonly calls: number
  /** As the outside ledger counted them. */
  readonly executions: number
  /** Effects on the world. */
  readonly effects: number
  /** Effects beyond the first of a call. */
  readonly duplicated: number
  /** Resolved after a crash by running again. */
  readonly again: number
  /** Resolved after a crash by asking. */
  readonly reconciled: number
  readonly unknown: number
}

export interface CrashSummary {
  readonly target: string
  readonly seed: number
  readonly kills: number
  readonly sent: number
  readonly settled: number
  readonly lost: number
  readonly duplicated: number
  readonly byClass: Readonly<Record<Effect, ClassSummary>>
  readonly unknown: number
  /** Wakes that a kill cut off. */
  readonly interrupted: number
  /** Prefixes of logs that were projected. */
  readonly prefixes: number
  readonly violations: number
  /** From the moment a server serves; where several do, from the kill: until a wake that was cut off is under way again. */
  readonly recoveryMs: Percentiles
  /** From the spawn of a server until it serves. */
  readonly startMs: Percentiles
}

export function summaryOf(
  history: History,
  violations: readonly Violation[],
  run: { readonly target: string; readonly seed: number; readonly kills: number },
): CrashSummary {
  const calls = callsOf(history)
  const takeovers = takeoverTimes(history)
  const isShared = history.replicas !== undefined
  const of = (effect: Effect): ClassSummary => classOf(calls.filter((call) => call.effect === effect))
  const byClass = { pure: of("pure"), idempotent: of("idempotent"), reconcilable: of("reconcilable"), once: of("once") }
  return {
    ...run,
    sent: history.sent.length,
    ...countMessages(history),
    byClass,
    unknown: Object.values(byClass).reduce((sum, { unknown }) => sum + unknown, 0),
    interrupted: isShared ? takeovers.length : history.lives.reduce((sum, { resumed = 0 }) => sum + resumed, 0),
    prefixes: countPrefixes(history),
    violations: violations.length,
    recoveryMs: percentiles(isShared ? takeovers : recoveryTimes(history)),
    startMs: percentiles(startTimes(history)),
  }
}

function classOf(calls: readonly JudgedCall[]): ClassSummary {
  const sum = (of: (call: JudgedCall) => number): number => calls.reduce((total, call) => total + of(call), 0)
  const count = (is: (call: JudgedCall) => boolean): number => calls.filter(is).length
  return {
    calls: calls.length,
    executions: sum(({ entry }) => entry?.executions ?? 0),
    effects: sum(({ entry }) => entry?.effects ?? 0),
    duplicated: sum(({ entry }) => Math.max(0, (entry?.effects ?? 0) - 1)),
    again: count(({ row }) => row.resolved === "again"),
    reconciled: count(({ row }) => row.resolved === "reconciled"),
    unknown: count(({ row }) => row.status === "unknown"),
  }
}

/** @param times Milliseconds. */
export function percentiles(times: readonly number[]): Percentiles {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number | null =>
    sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? null
  return { p50: at(0.5), p99: at(0.99) }
}

/** The summary for people, one fact a line. */
export function formatSummary(summary: CrashSummary): string {
  const {
    target,
    seed,
    kills,
    sent,
    settled,
    lost,
    duplicated,
    byClass,
    unknown,
    interrupted,
    prefixes,
    recoveryMs,
    startMs,
  } = summary
  const classes = Object.entries(byClass).map(
    ([name, { calls, executions, effects, duplicated: twice, again, reconciled, unknown: lostSight }]) =>
      `  ${name.padEnd(13)} ${calls} calls, ${executions} executions, ${effects} effects, ${twice} duplicated; after a crash ${again} run again, ${reconciled} found by asking, ${lostSight} unknown`,
  )
  return [
    `${target}: ${kills} kills (seed ${seed}), ${interrupted} wakes cut off`,
    `messages: ${sent} sent, ${settled} settled, ${lost} lost, ${duplicated} duplicated`,
    "effects:",
    ...classes,
    `outcomes told as unknown: ${unknown}`,
    `prefixes of logs projected: ${prefixes}`,
    `start: p50 ${startMs.p50} ms, p99 ${startMs.p99} ms; recovery: p50 ${recoveryMs.p50} ms, p99 ${recoveryMs.p99} ms`,
    `broken promises: ${summary.violations}`,
  ].join("\n")
}
