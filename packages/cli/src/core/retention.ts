import type { RetentionRule } from "@rouse/streams"
import { isEntityType } from "@rouse/protocol"
import type { IdleRule } from "@rouse/server"
import { usage } from "./failure.ts"

const RULE = /^([^=\s]*)=([^=]+)$/
const IDLE = /^([^=\s]+)=([1-9]\d{0,8})(m|h|d)(,shared)?$/i
const BOUND = /^(\d{1,9})(m|h|d|kb|mb|gb)$/i
const AGE_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const SIZE_BYTES: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 }
/** Rules of one server. Each stream looks for its own among them. */
const RULES_MAX = 100

/**
 * Adds a rule, `prefix=keep`, to those before: a commander collector. `keep` is an age, a size or both: `30d`, `100mb`, `30d,100mb`.
 * Nothing before the `=` means all streams.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function collectRetention(text: string, before: readonly RetentionRule[] = []): readonly RetentionRule[] {
  const [, prefix, keep = ""] = RULE.exec(text) ?? []
  if (prefix === undefined) throw wrong(text)
  if (prefix.startsWith("/"))
    throw usage(`--retention: paths of streams have no slash in front: write ${prefix.slice(1)}=…`)
  if (before.some((rule) => rule.prefix === prefix)) throw usage(`--retention: there are two rules for "${prefix}"`)
  if (before.length === RULES_MAX) throw usage(`--retention: there may be at most ${RULES_MAX} rules`)
  return [...before, { prefix, ...keepOf(text, keep.split(",")) }]
}

/**
 * Adds a rule, `type=age` or `type=age,shared`, to those before: how long agents of a type are kept that do nothing, and whether their rows in
 * shared spaces go with them. A commander collector.
 *
 * @throws {RouseError} `BAD_REQUEST`
 */
export function collectIdle(text: string, before: readonly IdleRule[] = []): readonly IdleRule[] {
  const [, type = "", amount, unit = "", shared] = IDLE.exec(text) ?? []
  if (!isEntityType(type))
    throw usage(
      `--delete-idle must be type=age or type=age,shared, like support=90d (m, h, d), not ${JSON.stringify(text)}`,
    )
  if (before.some((rule) => rule.type === type)) throw usage(`--delete-idle: there are two rules for "${type}"`)
  const rule = { type, keepMs: Number(amount) * (AGE_MS[unit.toLowerCase()] ?? 0) }
  return [...before, shared === undefined ? rule : { ...rule, shared: true }]
}

function keepOf(text: string, bounds: readonly string[]): Omit<RetentionRule, "prefix"> {
  const kept: { keepMs?: number; keepBytes?: number } = {}
  for (const bound of bounds) {
    const [, amount, unit = ""] = BOUND.exec(bound.trim()) ?? []
    const name = AGE_MS[unit.toLowerCase()] === undefined ? "keepBytes" : "keepMs"
    const size = AGE_MS[unit.toLowerCase()] ?? SIZE_BYTES[unit.toLowerCase()]
    if (size === undefined || kept[name] !== undefined) throw wrong(text)
    kept[name] = Number(amount) * size
  }
  return kept
}

function wrong(text: string): Error {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  return usage(
    `--retention must be prefix=age, prefix=size or prefix=age,size, like entities/=90d or events/=7d,100mb (m, h, d; kb, mb, gb), not ${shown}`,
  )
}
