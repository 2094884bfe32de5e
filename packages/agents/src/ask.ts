import { ASK_MS, ASK_MS_MAX, RouseError } from "@rouse/protocol"
import type { AskState, EntityUrl, Json, MessageMode } from "@rouse/protocol"
import type { StandardSchemaV1 } from "@standard-schema/spec"
import { toJson, validate } from "./core/validate.ts"
import { checkUrl } from "./outbox.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"

export interface AskOptions<S extends StandardSchemaV1 = StandardSchemaV1> {
  /** How long there is to answer, in milliseconds. An hour when absent; 30 days at most. */
  readonly timeout?: number
  /** What the reply must be. */
  readonly schema?: S
  /** How the message joins: `queue` when absent, so that it gets a run of its own. */
  readonly mode?: MessageMode
}

/**
 * `ctx.ask`: questions whose answer another wake is given.
 *
 * ```
 * ask ──▶ memo "waiting" and the message, in the commit that suspends the run ──▶ (nothing waits)
 *                       reply, deadline ──▶ memo "answered", and the message that rouses ──▶ the handler again, from the top
 * ```
 *
 * 1. A question has a number in the run, and so finds its answer in whatever wake the handler runs again.
 * 2. A wake that ends in a question keeps its memos: what came before the question is not done again.
 */
export class Asks {
  readonly #session: Session
  readonly #scopes: Scopes
  #ordinal = 0

  constructor(session: Session, scopes: Scopes) {
    this.#session = session
    this.#scopes = scopes
  }

  async ask(to: EntityUrl, content: Json, options: AskOptions = {}): Promise<unknown> {
    const session = this.#session
    checkUrl(to)
    const timeoutMs = askTimeout(options.timeout)
    if (this.#scopes.current !== undefined)
      throw new RouseError("INVALID_ARGS", "ask: a step or tool cannot be left; ask in the handler itself")
    if (session.looping) throw new RouseError("INVALID_ARGS", "ask: await agent.run() first")
    if (to === session.entity.url) throw new RouseError("INVALID_ARGS", "to: an entity cannot ask itself")
    const id = `${session.began}:ask:${this.#ordinal}`
    this.#ordinal += 1
    const state = session.rows.get("memo", id)?.value as unknown as AskState | undefined
    if (state?.status === "answered")
      return options.schema ? await validate(options.schema, state.reply, "reply") : state.reply
    if (state?.status === "failed") throw new RouseError(state.code, state.error)
    if (state === undefined) {
      const waiting: AskState = { status: "waiting", run: session.run, to }
      session.put("memo", id, { wake: session.began, value: waiting })
      const { mode = "queue" } = options
      session.writer.batch.asks.push({ id, kind: "memo", to, content: toJson(content, "message"), mode, timeoutMs })
    }
    session.park()
    // The handler is left here, and no code of it runs again in this wake: not even for an abort.
    return await new Promise<never>(() => undefined)
  }
}

/** @throws {RouseError} `INVALID_ARGS` */
export function askTimeout(timeout: number | undefined): number {
  if (timeout === undefined) return ASK_MS
  if (Number.isSafeInteger(timeout) && timeout >= 1 && timeout <= ASK_MS_MAX) return timeout
  throw new RouseError("INVALID_ARGS", `timeout: must be whole milliseconds, 1 to ${ASK_MS_MAX}`)
}
