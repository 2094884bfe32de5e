import { isEntityId, RouseError } from "@rouse/protocol"
import type {
  Json,
  JsonObject,
  SharedAnswers,
  SharedHeld,
  SharedOp,
  SharedQuery,
  SharedRequest,
  SharedRow,
} from "@rouse/protocol"
import { orAborted } from "./abort.ts"
import { change } from "./batch.ts"
import { toJson, validateSync } from "./core/validate.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"
import type {
  ClaimOptions,
  Expected,
  SharedCollectionSpec,
  SharedRows,
  SharedSchema,
  SharedSpec,
  Space,
} from "./shared.ts"
import { spaceTools } from "./space-tools.ts"
import type { SpaceHost } from "./space-tools.ts"

/** Rows that `list` gives when nothing else is said. */
const ROWS_LISTED = 100

/** What a numbered write or claim was, and how it went: what a retried handler is told again. */
interface SpaceMemo {
  /** What was asked. */
  readonly asked: string
  readonly rows?: readonly SharedHeld[]
  readonly refused?: { readonly code: string; readonly message: string; readonly details: JsonObject }
}

/**
 * The shared spaces of one wake.
 *
 * Each write and claim has a number within the wake in which the handler began. What an earlier attempt made durable is remembered under it, with the refusal if it was
 * refused, and is not made again: a claim's rows are remembered at the latest in the commit that writes one of them.
 */
export class Spaces {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #opened = new Map<string, Promise<unknown>>()
  readonly #ordinals = new Map<string, number>()

  constructor(session: Session, scopes: Scopes) {
    this.#session = session
    this.#scopes = scopes
  }

  /** @throws {RouseError} `INVALID_ARGS` when a space cannot be named so. */
  open<S extends SharedSpec>(id: string, schema: SharedSchema<S>): Space<S> {
    if (typeof id !== "string" || !isEntityId(id)) {
      throw new RouseError(
        "INVALID_ARGS",
        `shared: ${JSON.stringify(id)} is not an id: letters, digits and ._~- only, at most 128`,
      )
    }
    const names = Object.entries(schema.collections)
    const rows = names.map(([name, spec]) => [name, this.#rows(id, schema, name, spec)] as const)
    const host: SpaceHost = {
      open: () => this.#host(id, schema),
      ask: (request) => this.#ask(id, schema, request),
    }
    const tools: Space["tools"] = (options) => spaceTools(id, schema, host, options)
    return { ...Object.fromEntries(rows), tools } as unknown as Space<S>
  }

  /** As many rows as are asked for: a page may have fewer, and still tell of more. */
  async #list(
    space: string,
    schema: SharedSchema,
    collection: string,
    { limit = ROWS_LISTED, ...query }: SharedQuery,
  ): Promise<readonly SharedRow[]> {
    const rows: SharedRow[] = []
    for (let after = query.after; ;) {
      const asked = { ...query, limit: limit - rows.length, ...(after === undefined ? {} : { after }) }
      const page = await this.#ask(space, schema, { kind: "list", space, collection, query: asked })
      rows.push(...page.rows)
      if (rows.length >= limit || page.next === undefined) return rows
      after = page.next
    }
  }

  #rows(space: string, schema: SharedSchema, collection: string, spec: SharedCollectionSpec): SharedRows<unknown> {
    const write = (...ops: readonly SharedOp[]): Promise<void> => this.#write(space, schema, ops)
    const checked = (row: unknown): JsonObject => {
      const name = `${schema.name}.${collection}`
      return toJson(validateSync(spec.schema, row, name), name) as JsonObject
    }
    return {
      get: async (key) => (await this.#ask(space, schema, { kind: "get", space, collection, key })) ?? undefined,
      list: (query = {}) => this.#list(space, schema, collection, query),
      insert: (...rows) => write(...rows.map((row) => ({ op: "insert", collection, value: checked(row) }) as const)),
      update: (key, expected, set) => write({ op: "update", collection, key, ...expecting(expected), set: json(set) }),
      delete: (key, expected) => write({ op: "delete", collection, key, ...expecting(expected) }),
      increment: (key, field, by = 1) => write({ op: "increment", collection, key, field, by }),
      claim: (options) => this.#claim(space, schema, collection, options ?? {}),
      complete: ({ key, claim }, set) =>
        write({ op: "complete", collection, key, token: claim.token, ...(set ? { set: json(set) } : {}) }),
      release: ({ key, claim }) => write({ op: "release", collection, key, token: claim.token }),
      renew: ({ key, claim }, leaseMs) =>
        write({ op: "renew", collection, key, token: claim.token, ...(leaseMs === undefined ? {} : { leaseMs }) }),
    }
  }

  async #ask<R extends SharedRequest>(
    space: string,
    schema: SharedSchema,
    request: R,
  ): Promise<SharedAnswers[R["kind"]]> {
    const askShared = await this.#host(space, schema)
    return await orAborted(askShared(request), this.#session.signal)
  }

  /** Makes the space when the wake first uses it. */
  async #host(space: string, { definition }: SharedSchema): Promise<NonNullable<Session["askShared"]>> {
    const { askShared, signal } = this.#session
    if (askShared === undefined) throw new RouseError("BAD_REQUEST", "shared: this host has no shared spaces")
    const opening = this.#opened.get(space) ?? askShared({ kind: "open", space, definition })
    this.#opened.set(space, opening)
    await orAborted(opening, signal)
    return askShared
  }

  async #write(space: string, schema: SharedSchema, ops: readonly SharedOp[]): Promise<void> {
    if (ops.length === 0) return
    const asked = ops.map((op) => `${op.op} ${space} ${op.collection} ${"key" in op ? op.key : ""}`).join("; ")
    const { key, memo } = this.#numbered(asked)
    if (memo?.refused) throw refusalOf(memo.refused)
    if (memo) return
    await this.#host(space, schema)
    const result = change("memo", key, "insert", this.#memo({ asked }))
    try {
      await orAborted(this.#session.writer.deliver({ result, shared: { space, ops } }), this.#session.signal)
      this.#session.rows.apply(result)
    } catch (error) {
      if (!this.#session.signal.aborted && RouseError.is(error))
        this.#remember(key, { asked, refused: refusedAs(error) })
      throw error
    }
  }

  async #claim(space: string, schema: SharedSchema, collection: string, options: ClaimOptions): Promise<SharedHeld[]> {
    const { key, memo } = this.#numbered(`claim ${space} ${collection} ${JSON.stringify(options)}`)
    if (memo?.rows) return structuredClone([...memo.rows])
    const claim = { collection, ...options, id: key }
    const rows = await this.#ask(space, schema, { kind: "claim", space, claim })
    this.#remember(key, { asked: `claim ${space} ${collection} ${JSON.stringify(options)}`, rows })
    return structuredClone([...rows])
  }

  /** The next number, and what an earlier attempt made durable under it, if that was the same. */
  #numbered(asked: string): { readonly key: string; readonly memo: SpaceMemo | undefined } {
    const scope = this.#scopes.current?.id ?? ""
    const ordinal = this.#ordinals.get(scope) ?? 0
    this.#ordinals.set(scope, ordinal + 1)
    const key = `${this.#session.began}:shared:${scope}:${String(ordinal).padStart(6, "0")}`
    const row = this.#session.rows.get("memo", key)
    const memo = row?.value as unknown as SpaceMemo | undefined
    return { key, memo: memo?.asked === asked ? memo : undefined }
  }

  #memo(memo: SpaceMemo): { readonly wake: string; readonly value: Json } {
    return { wake: this.#session.began, value: memo as unknown as Json }
  }

  #remember(key: string, memo: SpaceMemo): void {
    const { rows, writer } = this.#session
    const operation = rows.get("memo", key) === undefined ? "insert" : "update"
    const event = change("memo", key, operation, this.#memo(memo))
    rows.apply(event)
    writer.batch.memos.push(event)
  }
}

function expecting(expected: Expected): { version?: number; token?: number } {
  if (expected === undefined) return {}
  return typeof expected === "number" ? { version: expected } : { token: expected.claim.token }
}

function json(set: unknown): JsonObject {
  return toJson(set, "set") as JsonObject
}

function refusedAs({ code, message, details }: RouseError): NonNullable<SpaceMemo["refused"]> {
  return { code, message, details: { ...details } }
}

function refusalOf({ code, message, details }: NonNullable<SpaceMemo["refused"]>): RouseError {
  return new RouseError(code as RouseError["code"], message, { details: details as RouseError["details"] })
}
