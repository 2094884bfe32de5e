import { RouseError } from "@rouse/protocol"
import type { Json } from "@rouse/protocol"
import { toJson } from "./core/validate.ts"
import type { Outbox } from "./outbox.ts"
import { Scope } from "./scope.ts"
import type { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"

const NAME_CHARS_MAX = 96

/** `ctx.step`: results that a retried wake does not compute again. */
export class Steps {
  readonly #session: Session
  readonly #scopes: Scopes
  readonly #outbox: Outbox
  readonly #handler = new Scope("")

  constructor(session: Session, scopes: Scopes, outbox: Outbox) {
    this.#session = session
    this.#scopes = scopes
    this.#outbox = outbox
  }

  async run<T>(name: string, fn: () => T | Promise<T>): Promise<T> {
    if (typeof name !== "string" || name === "" || name.length > NAME_CHARS_MAX) {
      throw new RouseError("INVALID_ARGS", `step: name must be a text of 1 to ${NAME_CHARS_MAX} characters`)
    }
    const unique = this.#numbered(name)
    const wake = this.#session.began
    const key = `${wake}:step:${unique}`
    const memo = this.#session.rows.get("memo", key)
    if (memo !== undefined) return (memo.value as { readonly result?: Json }).result as T
    const { world } = this.#session.host
    const scope = new Scope(`step.${unique}`)
    const result = await this.#scopes.within(scope, world ? () => world.step(unique) as T : fn)
    this.#outbox.release(scope)
    const value = result === undefined ? {} : { result: toJson(result, `the result of step ${JSON.stringify(name)}`) }
    this.#session.put("memo", key, { wake, value })
    await this.#session.flush()
    return (value as { readonly result?: Json }).result as T
  }

  #numbered(name: string): string {
    const scope = this.#scopes.current ?? this.#handler
    const full = scope === this.#handler ? name : `${scope.id}/${name}`
    const count = (scope.steps.get(full) ?? 0) + 1
    scope.steps.set(full, count)
    return count === 1 ? full : `${full}:${count}`
  }
}
