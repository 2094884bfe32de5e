import { RouseError } from "@rouse/protocol"
import { envSecrets, isSecret } from "../secrets/secret.ts"
import type { Secret } from "../secrets/secret.ts"
import type { SandboxSecrets } from "./provider.ts"

const WORDS_CHARS_MAX = 500

/** A service that has sandboxes, as its errors are told. */
export interface Service {
  readonly name: string
  /** The option, or the variable, that holds the key. */
  readonly keyName: string
  /** Never in what is told. */
  readonly key: string
}

/**
 * The key of a service: its value, or what the secret's resolver, the handler's host or the environment knows.
 *
 * @throws {RouseError} `SECRET_MISSING` naming the secret.
 */
export async function keyOf(key: string | Secret, secrets: SandboxSecrets | undefined): Promise<string> {
  if (!isSecret(key)) return key
  if (secrets !== undefined) return await secrets.secret(key)
  const value = await (key.resolver ?? envSecrets())(key.name)
  if (value) return value
  throw new RouseError("SECRET_MISSING", `secret ${key.name} is not set: it is resolved where the handler runs`)
}

/** What an SDK threw, as far as it is looked at. */
interface Thrown {
  readonly name?: unknown
  readonly message?: unknown
  readonly statusCode?: unknown
}

/**
 * An error of a service's SDK in words that say what to do, without the key. The error itself is not kept: it may hold requests.
 */
export function explained(service: Service, error: unknown): RouseError {
  if (RouseError.is(error)) return error
  const { name, message, statusCode } = (error ?? {}) as Thrown
  const kind = typeof name === "string" ? name : ""
  const words = cleaned(service, typeof message === "string" ? message : String(error))
  const is = (pattern: RegExp, ...statuses: readonly number[]): boolean =>
    pattern.test(kind) || statuses.includes(Number(statusCode))
  const said = (what: string): string => `${service.name} ${what}: ${words}`
  if (is(/Authentication/, 401)) {
    return new RouseError("BACKEND_REFUSED", said(`does not accept the key (${service.keyName})`))
  }
  if (is(/RateLimit/, 429)) return new RouseError("RATE_LIMITED", said("is at a limit of its plan, or asked too often"))
  if (is(/PaymentRequired/, 402)) return new RouseError("BACKEND_REFUSED", said("wants to be paid first"))
  if (is(/Forbidden|Authorization/, 403)) {
    return new RouseError("BACKEND_REFUSED", said("does not allow this, or a quota of its plan is used up"))
  }
  if (is(/NotEnoughSpace/, 507)) return new RouseError("BACKEND_REFUSED", said("has no room left in this sandbox"))
  if (is(/NotFound|Gone/, 404, 410)) return new RouseError("NOT_FOUND", said("does not have it"))
  if (is(/Timeout|AbortError/, 408, 504)) return new RouseError("TIMED_OUT", said("did not answer in time"))
  if (is(/Conflict/, 409)) return new RouseError("CONFLICT", said("is changing it already"))
  const isRefusal = is(/InvalidArgument|Validation|BadRequest|Template|Unprocessable/, 400, 422)
  return new RouseError(isRefusal ? "BACKEND_REFUSED" : "BACKEND_FAILED", said(isRefusal ? "refused" : "failed"))
}

function cleaned({ key }: Service, words: string): string {
  const safe = key.length > 0 ? words.replaceAll(key, "[redacted]") : words
  return safe.slice(0, WORDS_CHARS_MAX)
}

/** The package of a service, loaded when it is first used. @throws {RouseError} `BACKEND_FAILED` when it is not installed. */
export async function loaded<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    const words = `this sandbox needs a package that is not installed: npm install ${name}`
    throw new RouseError("BACKEND_FAILED", words, { cause })
  }
}

/** Ids of sandboxes by the names of their workspaces, as one provider remembers them: the oldest is forgotten. */
export class KnownIds {
  readonly #max: number
  readonly #ids = new Map<string, string>()

  constructor(max: number) {
    this.#max = max
  }

  get(name: string): string | undefined {
    return this.#ids.get(name)
  }

  set(name: string, id: string): void {
    this.#ids.delete(name)
    this.#ids.set(name, id)
    const [oldest] = this.#ids.keys()
    if (this.#ids.size > this.#max && oldest !== undefined) this.#ids.delete(oldest)
  }

  delete(name: string): void {
    this.#ids.delete(name)
  }
}

const DIRECTORY = /^[A-Za-z0-9_/][A-Za-z0-9_./-]{0,199}$/
const APP = /^[A-Za-z0-9_-]{1,40}$/

/** @throws {RouseError} `INVALID_ARGS` naming the option that is wrong. */
export function checkService(
  maker: string,
  { apiKey, app, directory }: { readonly apiKey: unknown; readonly app: unknown; readonly directory: unknown },
): void {
  const fail = (field: string, rule: string): never => {
    throw new RouseError("INVALID_ARGS", `${maker}: ${field} ${rule}`, { details: { field } })
  }
  if (!isSecret(apiKey) && (typeof apiKey !== "string" || apiKey === "")) fail("apiKey", "must be a secret or a text")
  if (typeof app !== "string" || !APP.test(app)) fail("app", "must be 1 to 40 letters, digits, _ or -")
  if (typeof directory !== "string" || !DIRECTORY.test(directory) || directory.split("/").includes(".."))
    fail("directory", "must be a path of letters, digits and ._/-, without ..")
}

/** @throws {RouseError} `INVALID_ARGS` naming the option. */
export function checkPositive(maker: string, field: string, value: number | undefined): void {
  if (value === undefined || (Number.isSafeInteger(value) && value > 0)) return
  throw new RouseError("INVALID_ARGS", `${maker}: ${field} must be a positive whole number`, { details: { field } })
}
