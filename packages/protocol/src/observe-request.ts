import { entityOfStream, entityStreamPath, isEntityType, parseEntityUrl } from "./entity.ts"
import type { EntityUrl } from "./entity.ts"
import { RouseError } from "./errors.ts"
import type { EntitySet, ObserveFilter, ObserveOptions, ObserveSource } from "./observe.ts"
import { setStreamPath } from "./observe.ts"
import { checkWhere } from "./observe-where.ts"

const NAME_CHARS_MAX = 128
/** What may stand in an address, so that an observation can be named in one. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._~-]*$/
const TOPIC = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}(:(insert|update|delete))?$/
const SET_TOPICS: ReadonlySet<string> = new Set(["join", "leave", "change"])
const TOPICS_MAX = 32
const PATH_CHARS_MAX = 512
const TAGS_MAX = 16
const WHERE_CHARS_MAX = 8_192
/** The longest debounce: a day. */
const DEBOUNCE_MS_MAX = 86_400_000
/** The shortest timeout. */
const TIMEOUT_MS_MIN = 100
/** The longest: ten years. */
const TIMEOUT_MS_MAX = 10 * 365 * 86_400_000

type Asked = ObserveOptions & { readonly name: string; readonly source: ObserveSource }

/** @throws {RouseError} `INVALID_ARGS`. */
export function checkObservationName(name: unknown): void {
  if (typeof name === "string" && name.length <= NAME_CHARS_MAX && NAME.test(name)) return
  const rule = `1 to ${NAME_CHARS_MAX} letters, digits and ._~- beginning with a letter or digit`
  throw invalid("name", `${JSON.stringify(name)} must be ${rule}`)
}

/** The name of an observation that was given none: made of its source, so that each source has one. */
export function observationName(source: ObserveSource): string {
  const text = typeof source === "string" ? source : setText(source)
  const name = text.replaceAll(/[^A-Za-z0-9._~-]+/g, ".").replace(/^[^A-Za-z0-9]+/, "")
  return name.slice(-NAME_CHARS_MAX).replace(/^[^A-Za-z0-9]+/, "")
}

function setText({ type, status, tags = {} }: EntitySet): string {
  const pairs = Object.entries(tags).map(([name, value]) => `${name}-${value}`)
  return ["set", type, ...(status === undefined ? [] : [status]), ...pairs.sort()].join(".")
}

/**
 * Checks what is asked of an observation.
 *
 * @param observer Who asks. It may not observe itself.
 * @throws {RouseError} `INVALID_ARGS` naming the field.
 */
export function checkObservation(asked: Asked, observer: EntityUrl): void {
  const { name, source, on, where, debounce, timeout } = asked
  checkObservationName(name)
  checkSource(source)
  if (sourceStreamPath(source) === entityStreamPath(observer))
    throw invalid("source", `${observer} cannot observe itself: what it does would rouse it again`)
  checkTopics(topicsOf(on), typeof source !== "string")
  if (where !== undefined) checkWhere(where)
  if (where !== undefined && JSON.stringify(where).length > WHERE_CHARS_MAX)
    throw invalid("where", `may be ${WHERE_CHARS_MAX} characters of JSON`)
  checkMs("debounce", debounce, 0, DEBOUNCE_MS_MAX)
  checkMs("timeout", timeout, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX)
  checkFrom(asked)
}

/** The path of the stream that tells of a source. */
export function sourceStreamPath(source: ObserveSource): string {
  if (typeof source !== "string") return setStreamPath(source.type)
  return source.startsWith("/") ? entityStreamPath(source) : source
}

/** What a store judges appends by, for an observation that was checked. */
export function filterOf({ source, on, where }: Asked, observer: EntityUrl): ObserveFilter {
  const isEntity = typeof source === "string" && entityOfStream(sourceStreamPath(source)) !== undefined
  const topics = topicsOf(on) ?? (isEntity ? ["finished"] : undefined)
  return {
    ...(topics ? { on: topics } : {}),
    ...(where ? { where } : {}),
    ...(typeof source === "string" ? {} : { set: source }),
    ...(isEntity ? {} : { except: observer }),
  }
}

export function topicsOf(on: ObserveOptions["on"]): readonly string[] | undefined {
  return typeof on === "string" ? [on] : on
}

function checkSource(source: unknown): void {
  if (typeof source === "string") return checkText(source)
  if (typeof source !== "object" || source === null) throw invalid("source", "must be an address, a path or a set")
  const { type, status, tags, ...rest } = source as Partial<EntitySet>
  const [unknown] = Object.keys(rest)
  if (unknown !== undefined) throw invalid(`source.${unknown}`, "a set has type, status and tags")
  if (typeof type !== "string" || !isEntityType(type))
    throw invalid("source.type", `${JSON.stringify(type)} is no type's name`)
  if (status !== undefined && typeof status !== "string") throw invalid("source.status", "must be a text")
  const entries = Object.entries(tags ?? {})
  if (entries.length > TAGS_MAX || entries.some(([, value]) => typeof value !== "string"))
    throw invalid("source.tags", `must be at most ${TAGS_MAX} texts by name`)
}

function checkText(source: string): void {
  if (source.startsWith("/")) {
    if (parseEntityUrl(source) === undefined) throw invalid("source", `"${source}" must look like /type/id`)
    return
  }
  const segments = source.split("/")
  const isBad = segments.some(
    (segment) => segment === "" || segment === "." || segment === ".." || segment.includes("\\"),
  )
  if (isBad || segments[0] === "__ds" || segments[0] === "sets" || source.length > PATH_CHARS_MAX)
    throw invalid("source", `"${source.slice(0, 64)}" is no path of a stream`)
  const entity = entityOfStream(source)
  if (segments[0] === "entities" && entity === undefined) throw invalid("source", `"${source}" is no agent's log`)
}

function checkTopics(on: unknown, isSet: boolean): void {
  if (on === undefined) return
  if (!Array.isArray(on) || on.length === 0 || on.length > TOPICS_MAX)
    throw invalid("on", `must be a text, or 1 to ${TOPICS_MAX} of them`)
  for (const topic of on as readonly unknown[]) {
    const isKnown = typeof topic === "string" && (isSet ? SET_TOPICS.has(topic) : TOPIC.test(topic))
    const rule = isSet ? "join, leave or change" : "collection, collection:operation or finished"
    if (!isKnown) throw invalid("on", `${JSON.stringify(topic)} must be ${rule}`)
  }
}

function checkMs(field: string, ms: unknown, min: number, max: number): void {
  if (ms === undefined) return
  if (typeof ms === "number" && Number.isInteger(ms) && ms >= min && ms <= max) return
  throw invalid(field, `must be whole milliseconds from ${min} to ${max}`)
}

function checkFrom({ from, source }: Asked): void {
  if (from === undefined || from === "now") return
  if (typeof from !== "string" || from === "") throw invalid("from", "must be now, beginning or an offset")
  if (typeof source !== "string") throw invalid("from", "a set is observed from now on; list who is in it")
}

function invalid(field: string, fault: string): RouseError {
  return new RouseError("INVALID_ARGS", `${field}: ${fault}`)
}
