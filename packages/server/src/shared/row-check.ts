import { createContext, Script } from "node:vm"
import { type Json, RouseError, type SharedCollection } from "@rouse/protocol"
import { z } from "zod"

/** How long a row may be checked, and a schema be made ready for it, where that may take long. */
const CHECK_MS_MAX = 250
/** How long the rows of one commit may be checked where that may take long. */
const COMMIT_CHECK_MS_MAX = 1_000
/** Schemas kept ready. When there are as many, all are forgotten. */
const KEPT_MAX = 512

/** Words of a schema by which a short one can take as long as it likes: expressions that go back over a text, and parts that name parts. */
const LONG = /"(pattern|patternProperties|\$ref|\$dynamicRef|\$recursiveRef)":/

/**
 * Checks rows of a collection by its schema, which whoever may write has chosen: it is stopped when it takes too long, so that no schema can
 * hold the server up.
 */
export class RowCheck {
  static readonly #kept = new Map<string, RowCheck>()

  readonly #type: z.ZodType
  readonly #isLong: boolean

  private constructor(collection: SharedCollection, text: string) {
    this.#isLong = LONG.test(text)
    this.#type = this.#within(CHECK_MS_MAX, () => z.fromJSONSchema(collection.schema))
  }

  /** @throws When the schema is none, or is not ready in time. */
  static of(collection: SharedCollection): RowCheck {
    const text = JSON.stringify(collection.schema)
    const known = RowCheck.#kept.get(text)
    if (known) return known
    const made = new RowCheck(collection, text)
    if (RowCheck.#kept.size >= KEPT_MAX) RowCheck.#kept.clear()
    RowCheck.#kept.set(text, made)
    return made
  }

  /**
   * What is wrong with a row; undefined when nothing is.
   *
   * @param msMax How long it may take, milliseconds.
   * @throws {RouseError} `TOO_LARGE` when it takes longer.
   */
  issue(value: Json, msMax: number): z.core.$ZodIssue | undefined {
    return this.#within(Math.min(msMax, CHECK_MS_MAX), () => this.#type.safeParse(value)).error?.issues[0]
  }

  #within<T>(msMax: number, work: () => T): T {
    return this.#isLong ? withinMs(msMax, work) : work()
  }
}

/** Checks the rows of one commit, all in a bounded time. */
export class RowChecks {
  readonly #clock: () => number
  readonly #bytesMax: number
  #leftMs = COMMIT_CHECK_MS_MAX

  constructor(clock: () => number, bytesMax: number) {
    this.#clock = clock
    this.#bytesMax = bytesMax
  }

  /**
   * Checks a row and returns its key.
   *
   * @param text The row as JSON.
   * @throws {RouseError} `INVALID_ARGS` naming the property; `TOO_LARGE`.
   */
  check(name: string, collection: SharedCollection, value: Json, text: string): string {
    if (text.length > this.#bytesMax) {
      const most = `at most ${this.#bytesMax} are allowed`
      throw new RouseError("TOO_LARGE", `${name}: a row has ${text.length} characters; ${most}`)
    }
    const beganAtMs = this.#clock()
    const issue = RowCheck.of(collection).issue(value, this.#leftMs)
    this.#leftMs -= this.#clock() - beganAtMs
    if (issue) {
      const field = [name, ...issue.path.map(String)].join(".")
      throw new RouseError("INVALID_ARGS", `${field}: ${issue.message}`, { details: { field } })
    }
    const key = (value as Readonly<Record<string, Json>>)[collection.key]
    if (typeof key === "number" || (typeof key === "string" && key !== "" && key.length <= 256)) return String(key)
    const field = `${name}.${collection.key}`
    const rule = "a row needs its key here, a text of 1 to 256 characters or a number"
    throw new RouseError("INVALID_ARGS", `${field}: ${rule}`, { details: { field } })
  }
}

const RUN = new Script("run()")
const here: { run?: () => void } = {}
const context = createContext(here)

/** Runs something that may never end for so long. Costs a third of a millisecond. @throws {RouseError} `TOO_LARGE`. */
function withinMs<T>(ms: number, work: () => T): T {
  let result: { readonly value: T } | undefined
  let failure: { readonly cause: unknown } | undefined
  here.run = () => {
    try {
      result = { value: work() }
    } catch (cause) {
      failure = { cause }
    }
  }
  try {
    RUN.runInContext(context, { timeout: Math.max(1, Math.floor(ms)) })
  } catch (error) {
    throw new RouseError("TOO_LARGE", "the schema takes too long to check; make its patterns simpler", { cause: error })
  } finally {
    delete here.run
  }
  if (failure) throw failure.cause
  if (result) return result.value
  throw new Error("nothing was checked")
}
