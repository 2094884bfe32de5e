import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import { toJson } from "./core/validate.ts"
import type { Outbox } from "./outbox.ts"
import { newScope } from "./scope.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"

/** `ctx.step`: results that a retried wake does not compute again. */
export class Steps {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #outbox: Outbox
  readonly #names = new Map<string, number>()

  constructor(session: Session, scopes: Scopes, outbox: Outbox) {
    this.#session = session
    this.#scopes = scopes
    this.#outbox = outbox
  }

  async run<T>(name: string, fn: () => T | Promise<T>): Promise<T> {
    if (typeof name !== "string" || name === "") throw new RouseError("INVALID_ARGS", "step: name must be a text")
    const unique = this.#numbered(name)
    const wake = this.#session.wake.id
    const key = `${wake}:step:${unique}`
    const memo = this.#session.rows.get("memo", key)
    if (memo !== undefined) return (memo.value as { readonly result?: Json }).result as T
    const scope = newScope(`step.${unique}`)
    const result = await this.#scopes.within(scope, fn)
    this.#outbox.release(scope)
    const value = result === undefined ? {} : { result: toJson(result, `the result of step ${JSON.stringify(name)}`) }
    this.#session.put("memo", key, { wake, value })
    await this.#session.flush()
    return (value as { readonly result?: Json }).result as T
  }

  #numbered(name: string): string {
    const scope = this.#scopes.current?.id
    const full = scope === undefined ? name : `${scope}/${name}`
    const count = (this.#names.get(full) ?? 0) + 1
    this.#names.set(full, count)
    return count === 1 ? full : `${full}:${count}`
  }
}
