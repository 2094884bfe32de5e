import { RouseError } from "@rouse/protocol"
import type { ChangeEvent, Json } from "@rouse/protocol"
import { change, removal } from "./batch.ts"
import type { Collection } from "./context.ts"
import { toJson, validateSync } from "./core/validate.ts"
import type { CollectionSpec, StateSpec } from "./entity.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"

/** What a state change was, so that a retried handler sees the rows it saw the first time. Absent rows are undefined. */
interface StateMemo {
  readonly collection: string
  readonly key: string
  readonly before?: Json
  readonly after?: Json
}

const KEY_CHARS_MAX = 256

/**
 * The author's collections for one wake.
 *
 * A handler that is retried runs again from the top. Its own changes that an earlier attempt made durable are first taken back in
 * the view, newest first, and then made again in the view alone, each when the handler comes to it: it reads what it read
 * before, and nothing is written twice.
 */
export class State {
  readonly collections: Readonly<Record<string, Collection<unknown>>>
  readonly #session: Session
  readonly #scopes: Scopes
  #ordinal = 0

  constructor(spec: StateSpec, session: Session, scopes: Scopes) {
    this.#session = session
    this.#scopes = scopes
    this.collections = Object.fromEntries(
      Object.entries(spec).map(([name, collection]) => [name, this.#handle(name, collection)]),
    )
    this.#rewind()
  }

  #handle(name: string, spec: CollectionSpec): Collection<unknown> {
    const rows = this.#session.rows
    return {
      get: (key) => copyOf(rows.get(name, key)),
      list: () => rows.list(name).map(copyOf),
      insert: (row) => {
        const { key, value } = checked(name, spec, row)
        if (rows.get(name, key) !== undefined) {
          throw new RouseError(
            "ALREADY_EXISTS",
            `state.${name}: there is a row ${JSON.stringify(key)} already; use update`,
          )
        }
        this.#write(name, key, value)
      },
      update: (key, fn) => {
        const before = rows.get(name, key)
        if (before === undefined)
          throw new RouseError("NOT_FOUND", `state.${name}: there is no row ${JSON.stringify(key)}`)
        const row = checked(name, spec, fn(copyOf(before)))
        if (row.key !== key) {
          throw new RouseError("INVALID_ARGS", `state.${name}.${spec.key}: an update cannot change a row's key`)
        }
        return copyOf(this.#write(name, key, row.value))
      },
      delete: (key) => {
        if (rows.get(name, key) === undefined) return false
        this.#write(name, key, undefined)
        return true
      },
    }
  }

  /** Writes a row, or removes it, and returns what it is now. */
  #write(collection: string, key: string, value: Json | undefined): Json | undefined {
    const { rows, writer } = this.#session
    const before = rows.get(collection, key)
    const scope = this.#scopes.current
    if (scope === undefined) {
      const made = this.#replayed(collection, key)
      if (made) return this.#show(collection, key, made.after)
      this.#remember({
        collection,
        key,
        ...(before === undefined ? {} : { before }),
        ...(value === undefined ? {} : { after: value }),
      })
    }
    scope?.undo.push(() => this.#show(collection, key, before))
    const events = scope?.held.events ?? writer.batch.events
    events.push(eventOf(collection, key, before, value))
    return this.#show(collection, key, value)
  }

  #show(collection: string, key: string, value: Json | undefined): Json | undefined {
    if (value === undefined) this.#session.rows.delete(collection, key)
    else this.#session.rows.put(collection, key, value)
    return value
  }

  #memoKey(ordinal: number): string {
    return `${this.#session.began}:state:${String(ordinal).padStart(6, "0")}`
  }

  /** The change of this number that an earlier attempt made durable, when it was to the same row. */
  #replayed(collection: string, key: string): StateMemo | undefined {
    const memo = this.#session.rows.get("memo", this.#memoKey(this.#ordinal))?.value as unknown as StateMemo | undefined
    if (memo === undefined || memo.collection !== collection || memo.key !== key) return undefined
    this.#ordinal += 1
    return memo
  }

  #remember(memo: StateMemo): void {
    const key = this.#memoKey(this.#ordinal)
    this.#ordinal += 1
    const value = { wake: this.#session.began, value: memo as unknown as Json }
    const operation = this.#session.rows.get("memo", key) === undefined ? "insert" : "update"
    this.#session.rows.put("memo", key, value)
    this.#session.writer.batch.memos.push(change("memo", key, operation, value))
  }

  #rewind(): void {
    const prefix = `${this.#session.began}:state:`
    const memos = [...this.#session.rows.entries("memo")].filter(([key]) => key.startsWith(prefix))
    for (const [, { value }] of memos.toReversed()) {
      const { collection, key, before } = value as unknown as StateMemo
      this.#show(collection, key, before)
    }
  }
}

function eventOf(collection: string, key: string, before: Json | undefined, value: Json | undefined): ChangeEvent {
  if (value === undefined) return removal(collection, key)
  return change(collection, key, before === undefined ? "insert" : "update", value)
}

function checked(name: string, spec: CollectionSpec, row: unknown): { readonly key: string; readonly value: Json } {
  const value = toJson(validateSync(spec.schema, row, `state.${name}`), `state.${name}`)
  const key = (value as Readonly<Record<string, Json>> | null)?.[spec.key]
  const isKey = (typeof key === "string" && key !== "" && key.length <= KEY_CHARS_MAX) || typeof key === "number"
  if (isKey) return { key: String(key), value }
  throw new RouseError(
    "INVALID_ARGS",
    `state.${name}.${spec.key}: a row needs its key here, a text of 1 to ${KEY_CHARS_MAX} characters or a number`,
  )
}

/** Rows are handed out as copies: changing one changes nothing. */
function copyOf(value: Json | undefined): unknown {
  return typeof value === "object" && value !== null ? structuredClone(value) : value
}
