import type {
  CatchUp,
  DeadLetter,
  DeadLetterPage,
  EntityUrl,
  Json,
  ObservationInfo,
  ObservationList,
  ObserveOptions as ObservationOptions,
  ObserveSource,
  ScheduleBody,
  ScheduleInfo,
  ScheduleList,
  SchedulePage,
  ScheduleQuery,
  ScheduleRule,
} from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

export interface DeadLetterOptions extends WriteOptions {
  /** Keys of the messages that are meant; all that are dead when absent. */
  readonly messages?: readonly string[] | undefined
}

/** What an operator looks after. */
export interface Operators {
  /**
   * Sets a schedule of an entity, by name; the same definition again changes nothing.
   *
   * @throws {RouseError} `INVALID_ARGS` naming the field: `cron`, `timezone`, `every` (milliseconds) or `at`.
   * @example
   * await client.schedule("/reporter/one", "daily", { cron: "0 9 * * 1-5", timezone: "Europe/Berlin" }, "Write the report")
   */
  schedule(
    url: EntityUrl,
    name: string,
    rule: ScheduleRule,
    message: Json,
    options?: WriteOptions & { readonly catchUp?: CatchUp | undefined },
  ): Promise<ScheduleInfo>
  /** The entity's schedules, and messages that were sent for later, earliest first. */
  schedules(url: EntityUrl, options?: CallOptions): Promise<readonly ScheduleInfo[]>
  /** One page of the schedules of all entities, and of messages for later: what comes due first. */
  allSchedules(query?: ScheduleQuery, options?: CallOptions): Promise<SchedulePage>
  /** @throws {RouseError} `NOT_FOUND` when there is none. */
  unschedule(url: EntityUrl, name: string, options?: WriteOptions): Promise<void>
  /**
   * Has an entity roused by what happens elsewhere: in another entity, in all of a type with a status or tags, or in a stream. The same again
   * changes nothing.
   *
   * @throws {RouseError} `INVALID_ARGS` naming the field.
   * @example
   * await client.addObservation("/reviewer/one", "/writer/one", { on: "drafts", where: { words: { gt: 1000 } } })
   */
  addObservation(
    url: EntityUrl,
    source: ObserveSource,
    options?: WriteOptions & ObservationOptions & { readonly name?: string | undefined },
  ): Promise<ObservationInfo>
  /** What an entity observes, by name, and how far it was told. */
  observations(url: EntityUrl, options?: CallOptions): Promise<readonly ObservationInfo[]>
  /** @throws {RouseError} `NOT_FOUND` when there is none. */
  removeObservation(url: EntityUrl, name: string, options?: WriteOptions): Promise<void>
  /** Messages of all entities that were given up. */
  deadLetters(options?: CallOptions): AsyncIterableIterator<DeadLetter>
  /** Accepts the entity's dead messages again. Returns how many. */
  retry(url: EntityUrl, options?: DeadLetterOptions): Promise<number>
  /** Settles the entity's dead messages for good, as cancelled. Returns how many. */
  discard(url: EntityUrl, options?: DeadLetterOptions): Promise<number>
}

/** Schedules, observations and dead letters: what an operator looks after. */
export function operators(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): Operators {
  const { json } = transport
  const settleDead = async (
    url: string,
    what: string,
    options: WriteOptions & { messages?: readonly string[] | undefined },
  ) => {
    const body = options.messages === undefined ? {} : { messages: options.messages }
    return (await json<{ messages: number }>(write({ path: entityPath(url, what), body }, options))).messages
  }
  return {
    schedule: async (url, name, rule, message, o = {}) =>
      json<ScheduleInfo>(
        write({ path: entityPath(url, "schedules"), body: bodyOf(name, rule, message, o.catchUp) }, o),
      ),
    schedules: async (url, o) =>
      (await json<ScheduleList>({ path: entityPath(url, "schedules"), signal: o?.signal })).schedules,
    allSchedules: async (query = {}, o) =>
      json<SchedulePage>({ path: `/v1/schedules${queryString(query)}`, signal: o?.signal }),
    unschedule: async (url, name, o) =>
      json<void>(write({ method: "DELETE", path: entityPath(url, "schedules", name) }, o)),
    addObservation: async (url, source, o = {}) => {
      const { name, on, where, debounce, timeout, from } = o
      const body = { source, name, on, where, debounce, timeout, from }
      return json<ObservationInfo>(write({ path: entityPath(url, "observations"), body }, o))
    },
    observations: async (url, o) =>
      (await json<ObservationList>({ path: entityPath(url, "observations"), signal: o?.signal })).observations,
    removeObservation: async (url, name, o) =>
      json<void>(write({ method: "DELETE", path: entityPath(url, "observations", name) }, o)),
    deadLetters: (o = {}) => deadLetters(transport, o),
    retry: (url, o = {}) => settleDead(url, "retry", o),
    discard: (url, o = {}) => settleDead(url, "discard", o),
  }
}

function bodyOf(name: string, rule: ScheduleRule, message: Json, catchUp: CatchUp | undefined): ScheduleBody {
  return { name, ...rule, message, ...(catchUp === undefined ? {} : { catchUp }) }
}

async function* deadLetters(transport: Transport, { signal }: CallOptions): AsyncGenerator<DeadLetter> {
  let after: string | undefined
  do {
    const page = await transport.json<DeadLetterPage>({ path: `/v1/dead-letters${queryString({ after })}`, signal })
    yield* page.messages
    after = page.next
  } while (after !== undefined)
}
