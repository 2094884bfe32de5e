import type { RetentionRule } from "@rouse/streams"
import { usage } from "./failure.ts"

const RULE = /^([^=\s]*)=([^=]+)$/
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
