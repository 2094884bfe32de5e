import { FORM_CHARS_MIN, formsOf } from "./secret-forms.ts"

/** What stands where a secret stood. */
export const REDACTED = "[redacted]"

/** Characters that are looked up together, and the size of the table they are looked up in: a power of two. */
const BLOCK = 3
const TABLE_SIZE = 4_096

interface Match {
  readonly start: number
  readonly end: number
}

/**
 * Takes known values out of texts and JSON, in every form that `formsOf` lists. Leaves alone what holds none: the same reference comes back.
 *
 * A text is searched in strides of nearly the shortest form's length (Wu and Manber), so that text without secrets costs about a nanosecond
 * a character however many secrets there are.
 */
export class Redactor {
  readonly #forms = new Map<string, string[]>()
  readonly #strides: Uint8Array = new Uint8Array(TABLE_SIZE).fill(FORM_CHARS_MIN - BLOCK + 1)
  /** Beginnings of forms that are shorter than a block. */
  readonly #beginnings = new Set<string>()
  readonly #digits = new Set<string>()
  #longest = 0

  constructor(values: Iterable<string>) {
    for (const value of values) {
      if (/^[0-9]+$/.test(value)) this.#digits.add(value)
      for (const form of formsOf(value)) this.#add(form)
    }
    for (const forms of this.#forms.values()) forms.sort((a, b) => b.length - a.length)
  }

  get isEmpty(): boolean {
    return this.#longest === 0
  }

  text(text: string): string {
    let match = this.#next(text, 0)
    if (match === undefined) return text
    let out = ""
    let from = 0
    for (; match !== undefined; match = this.#next(text, from)) {
      const { start, end } = this.#widened(text, match)
      out += text.slice(from, start) + REDACTED
      from = end
    }
    return out + text.slice(from)
  }

  /** A JSON value without the secrets in its texts, its names, and its numbers. */
  value<T>(value: T): T {
    return this.isEmpty ? value : (this.#clean(value) as T)
  }

  /**
   * How much of a text that goes on may be shown: what follows could be the beginning of a secret, and is none or whole once more is known.
   * Redacting what this cuts off, piece by piece, gives the same as redacting the whole.
   */
  settledEnd(text: string): number {
    let end = text.length
    for (let i = Math.max(0, text.length - this.#longest + 1); i < text.length; i += 1) {
      if (!this.#mayGoOn(text, i)) continue
      end = i
      break
    }
    for (let match = this.#next(text, 0); match !== undefined && match.start < end;) {
      const wide = this.#widened(text, match)
      if (wide.end > end) end = wide.start
      match = this.#next(text, wide.end)
    }
    return end
  }

  #add(form: string): void {
    const head = form.slice(0, BLOCK)
    const known = this.#forms.get(head)
    if (known === undefined) this.#forms.set(head, [form])
    else if (!known.includes(form)) known.push(form)
    for (let length = 1; length < BLOCK; length += 1) this.#beginnings.add(form.slice(0, length))
    for (let at = 0; at + BLOCK <= FORM_CHARS_MIN; at += 1) {
      const slot = hash(form, at)
      this.#strides[slot] = Math.min(this.#strides[slot] ?? 0, FORM_CHARS_MIN - BLOCK - at)
    }
    this.#longest = Math.max(this.#longest, form.length)
  }

  /** The first form at or after `from`, and of several there the longest. */
  #next(text: string, from: number): Match | undefined {
    if (this.isEmpty) return undefined
    for (let i = from; i + FORM_CHARS_MIN <= text.length;) {
      const stride = this.#strides[hash(text, i + FORM_CHARS_MIN - BLOCK)] ?? 0
      if (stride > 0) {
        i += stride
        continue
      }
      const form = this.#forms.get(text.slice(i, i + BLOCK))?.find((one) => text.startsWith(one, i))
      if (form !== undefined) return { start: i, end: i + form.length }
      i += 1
    }
    return undefined
  }

  /** A match with those that overlap it. */
  #widened(text: string, match: Match): Match {
    let { end } = match
    for (let next = this.#next(text, match.start + 1); next && next.start < end;) {
      end = Math.max(end, next.end)
      next = this.#next(text, next.start + 1)
    }
    return { start: match.start, end }
  }

  #mayGoOn(text: string, from: number): boolean {
    const tail = text.slice(from)
    if (tail.length < BLOCK) return this.#beginnings.has(tail)
    const forms = this.#forms.get(tail.slice(0, BLOCK)) ?? []
    return forms.some((form) => form.length > tail.length && form.startsWith(tail))
  }

  #clean(value: unknown): unknown {
    if (typeof value === "string") return this.text(value)
    if (typeof value === "number") return this.#digits.has(String(value)) ? REDACTED : value
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) return this.#cleanList(value)
    return this.#cleanObject(value as Readonly<Record<string, unknown>>)
  }

  #cleanList(list: readonly unknown[]): readonly unknown[] {
    let copy: unknown[] | undefined
    for (let i = 0; i < list.length; i += 1) {
      const clean = this.#clean(list[i])
      if (clean === list[i]) continue
      copy ??= [...list]
      copy[i] = clean
    }
    return copy ?? list
  }

  #cleanObject(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const names = Object.keys(object)
    let entries: (readonly [string, unknown])[] | undefined
    names.forEach((name, i) => {
      const clean = [this.text(name), this.#clean(object[name])] as const
      if (entries === undefined && (clean[0] !== name || clean[1] !== object[name])) {
        entries = names.slice(0, i).map((before) => [before, object[before]])
      }
      entries?.push(clean)
    })
    return entries === undefined ? object : Object.fromEntries(entries)
  }
}

function hash(text: string, at: number): number {
  return (text.charCodeAt(at) * 961 + text.charCodeAt(at + 1) * 31 + text.charCodeAt(at + 2)) & (TABLE_SIZE - 1)
}
