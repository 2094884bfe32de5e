import type { JsonBatch, StreamResponse } from "@durable-streams/client"
import { stream } from "@durable-streams/client"
import type { ChangeEvent, EntityUrl, LogEvent, Offset } from "@rouse/protocol"
import { isControlEvent, RouseError, START } from "@rouse/protocol"
import { isAborted } from "./clock.ts"
import type { ReadFrom } from "./poll-log.ts"
import { polledBatches } from "./poll-log.ts"
import { logPath } from "./core/address.ts"
import { unreachableError } from "./core/problem.ts"
import type { Transport } from "./transport.ts"
import { isEventStream } from "./transport.ts"
import type { WatchOptions } from "./options.ts"

export interface ObserveOptions extends WatchOptions {
  /** Read after this offset; the beginning of the log when absent. */
  readonly from?: Offset | undefined
  /** Go on with what is written from now on; true when absent. */
  readonly live?: boolean | undefined
  /**
   * Begin with the live rows, however long the log is, instead of all that happened. They are told between two control events, and again
   * should the log no longer be kept from where the reader stands. Without effect together with `from`, until then.
   */
  readonly snapshot?: boolean | undefined
}

/** Changes of an entity's log, in order, and where the log stands after them. */
export interface LogBatch<Event extends LogEvent = ChangeEvent> {
  readonly events: readonly Event[]
  readonly offset: Offset
  /** Nothing more was on the log when this was read. */
  readonly upToDate: boolean
}

/** What happens to an entity. */
export interface Logs {
  /**
   * Reads the entity's log in order, and goes on as it grows unless `live` is false. Ends without an error when the signal aborts.
   *
   * The beginning of a log that is no longer kept whole is its live rows, as inserts.
   *
   * @example
   * for await (const { events, offset } of client.observe("/assistant/one")) console.log(offset, events)
   */
  observe(
    url: EntityUrl,
    options: ObserveOptions & { readonly snapshot: true },
  ): AsyncIterableIterator<LogBatch<LogEvent>>
  observe(url: EntityUrl, options?: ObserveOptions & { readonly snapshot?: false }): AsyncIterableIterator<LogBatch>
}

/** Reads an entity's log as changes alone. */
export async function* observe(transport: Transport, url: string, options: ObserveOptions): AsyncGenerator<LogBatch> {
  for await (const { events, ...batch } of readLog(transport, logPath(url), options)) {
    yield { ...batch, events: events.filter(isChange) }
  }
}

/** Reads an entity's log with what is said of the log itself. */
export function observeAll(
  transport: Transport,
  url: string,
  options: ObserveOptions,
): AsyncGenerator<LogBatch<LogEvent>> {
  return readLog(transport, logPath(url), options)
}

/** Reads the log at a path; a lost connection is taken up again after the last batch that was told. */
export async function* readLog(
  transport: Transport,
  path: string,
  options: ObserveOptions,
): AsyncGenerator<LogBatch<LogEvent>> {
  const { live = true, signal } = options
  let offset: Offset = options.from ?? START
  let snapshot = options.snapshot === true
  let caughtUp = false
  for (let failures = 1; !isAborted(signal); failures++) {
    let failure: unknown = unreachableError(transport.url, "the log's connection ended")
    const streams = transport.streams()
    try {
      const batchesOf = streams ? streamedBatches : polledBatches
      for await (const batch of batchesOf(transport, path, { offset, live, snapshot }, signal)) {
        const next = batch.offset as Offset
        // A batch whose offset did not arrive was cut off: it is read again.
        const whole = batch.items.length === 0 || next !== offset
        if (whole && (batch.items.length > 0 || (batch.upToDate && !caughtUp))) {
          yield { events: batch.items, offset: next, upToDate: batch.upToDate }
        }
        if (whole && (batch.streamClosed || (!live && batch.upToDate))) return
        if (whole) [offset, caughtUp, failures] = [next, batch.upToDate, 0]
        if (streams !== transport.streams()) break
      }
      if (streams !== transport.streams()) continue
      // The ecosystem's reader ends a read that is not live after one answer, however much there is.
      if (!live && failures === 0) continue
    } catch (error) {
      failure = logError(transport.url, error)
      // Whoever is told that rows begin anew, or has been told nothing yet, can begin with the live rows instead.
      if (RouseError.is(failure, "GONE") && !snapshotFrom(snapshot, offset) && (snapshot || offset === START)) {
        ;[snapshot, offset, caughtUp, failures] = [true, START, false, 0]
        continue
      }
    }
    if (isAborted(signal)) return
    options.onInterrupted?.(failure as RouseError)
    // Whoever was told of the interruption is told that it is over, even when nothing was written meanwhile.
    if (options.onInterrupted !== undefined) caughtUp = false
    await pauseQuietly(transport, Math.max(failures, 1), failure, signal)
  }
}

/** Whether this asked for a snapshot, so that another cannot help. */
function snapshotFrom(snapshot: boolean, offset: Offset): boolean {
  return snapshot && offset === START
}

function isChange(event: LogEvent): event is ChangeEvent {
  return !isControlEvent(event)
}

/** Waits before the next try. An abort ends the wait, not the reader: it is asked for, no error. */
export async function pauseQuietly(
  transport: Transport,
  attempt: number,
  failure: unknown,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await transport.pause(attempt, failure, signal)
  } catch (error) {
    if (!isAborted(signal)) throw error
  }
}

async function* streamedBatches(
  transport: Transport,
  path: string,
  { offset, live, snapshot }: ReadFrom,
  signal: AbortSignal | undefined,
): AsyncGenerator<JsonBatch<LogEvent>> {
  const response = await stream<LogEvent>({
    url: transport.url + path,
    offset,
    ...(snapshot && { params: { snapshot: "true" } }),
    live: live ? "sse" : false,
    json: true,
    warnOnHttp: false,
    ...readerOptions(transport),
    ...(signal && { signal }),
  })
  yield* pull(response, signal)
}

interface ReaderOptions {
  readonly fetch: typeof globalThis.fetch
  readonly backoffOptions: { initialDelay: number; maxDelay: number; multiplier: number; maxRetries: number }
  readonly sseResilience: { logWarnings: boolean }
}

/** How the ecosystem's reader is made to use the client's transport, with its token and its retries. */
function readerOptions(transport: Transport): ReaderOptions {
  return {
    fetch: async (input, init) => endQuietly(await transport.fetch(input, init), init?.signal),
    backoffOptions: { initialDelay: 0, maxDelay: 0, multiplier: 1, maxRetries: 0 },
    sseResilience: { logWarnings: false },
  }
}

/** The same for a reader that nobody starts again: once it has reached the server it goes on trying. */
export function patientReader(transport: Transport): ReaderOptions {
  const options = readerOptions(transport)
  let reached = false
  return {
    ...options,
    async fetch(input, init) {
      for (let failures = 1; ; failures++) {
        try {
          const response = await options.fetch(input, init)
          reached = true
          return response
        } catch (error) {
          if (!reached) throw error
          await transport.pause(failures, error, init?.signal ?? undefined)
        }
      }
    },
  }
}

/**
 * The batches as they come, one at a time: the reader reads on when the last one was used.
 *
 * The reader calls itself closed before it hands out its last batch, so an end without an error is believed a little later.
 */
async function* pull(
  response: StreamResponse<LogEvent>,
  signal: AbortSignal | undefined,
): AsyncGenerator<JsonBatch<LogEvent>> {
  const waiting: { readonly batch: JsonBatch<LogEvent>; readonly used: () => void }[] = []
  let wake = (): void => undefined
  let end: { readonly error?: unknown } | undefined
  const finish = (reason: { readonly error?: unknown }): void => {
    end = reason
    wake()
  }
  const aborted = (): void => finish({})
  const cancel = response.subscribeJson((batch) => {
    const done = new Promise<void>((used) => waiting.push({ batch, used }))
    wake()
    return done
  })
  response.closed.then(
    () => setTimeout(aborted, CLOSING_MS),
    (error: unknown) => finish({ error }),
  )
  signal?.addEventListener("abort", aborted, { once: true })
  try {
    while (!isAborted(signal)) {
      const next = waiting.shift()
      if (next) {
        yield next.batch
        next.used()
      } else if (end) {
        if (end.error !== undefined) throw end.error
        return
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  } finally {
    signal?.removeEventListener("abort", aborted)
    for (const { used } of waiting) used()
    cancel()
  }
}

/** How long a reader that has ended may take to hand out what it read. */
const CLOSING_MS = 100

/** An event stream that is cut ends, for the reader reconnects after an end but gives up on an error. */
function endQuietly(response: Response, signal: AbortSignal | null | undefined): Response {
  if (!isEventStream(response) || !response.body) return response
  const reader = response.body.getReader()
  const ended = (error: unknown): typeof END => {
    if (isAborted(signal)) throw error
    return END
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await reader.read().catch(ended)
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new Response(body, { status: response.status, headers: response.headers })
}

const END = { done: true, value: undefined } as const

function logError(url: string, error: unknown): RouseError {
  return RouseError.is(error) ? error : unreachableError(url, error)
}
