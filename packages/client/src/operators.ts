import type {
  CatchUp,
  DeadLetter,
  DeadLetterPage,
  Json,
  ObservationInfo,
  ObservationList,
  ScheduleBody,
  ScheduleInfo,
  ScheduleList,
  SchedulePage,
  ScheduleRule,
} from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { CallOptions, Operators, WriteOptions } from "./types.ts"

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
