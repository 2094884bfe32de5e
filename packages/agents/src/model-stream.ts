import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider"
import { orAborted, reasonOf } from "./abort.ts"
import type { Recorder } from "./core/recorder.ts"

/** A provider that says nothing for so long, or up to twice that, is taken to be cut off. */
const SILENCE_MS_MAX = 150_000

/**
 * Reads one answer of a model into a recorder, whole.
 *
 * @throws The provider's error, thrown or streamed; the signal's reason; an error when the answer was cut off.
 */
export async function readAnswer(
  model: LanguageModelV4,
  call: LanguageModelV4CallOptions,
  recorder: Recorder,
  signal: AbortSignal,
): Promise<void> {
  const watch = new Watch(signal)
  try {
    const own = watch.controller.signal
    const { stream } = await orAborted(Promise.resolve(model.doStream({ ...call, abortSignal: own })), own)
    await drain(stream.getReader(), recorder, watch)
  } finally {
    watch.close()
  }
  const reason = recorder.finish?.reason
  if (reason === undefined || reason === "interrupted")
    throw new Error("the connection was cut before the answer ended")
  if (reason === "error") throw new Error("the provider ended its answer with an error")
}

type Reader = ReadableStreamDefaultReader<Parameters<Recorder["add"]>[0]>

/** An abort cancels the stream, which ends a read that waits: one listener for the stream, not one for each piece. */
async function drain(reader: Reader, recorder: Recorder, watch: Watch): Promise<void> {
  const { signal } = watch.controller
  const cancel = (): void => void reader.cancel(signal.reason).catch(ignore)
  signal.addEventListener("abort", cancel, { once: true })
  try {
    for (;;) {
      if (signal.aborted) throw reasonOf(signal)
      const { done, value } = await reader.read()
      if (done) break
      watch.heard()
      const problem = recorder.add(value)
      if (problem) throw problem.error
    }
    if (signal.aborted) throw reasonOf(signal)
  } finally {
    signal.removeEventListener("abort", cancel)
    cancel()
  }
}

/** Owns the signal of one model call: it aborts with the outer one, or when the provider has been silent for too long. */
class Watch {
  readonly controller: AbortController = new AbortController()
  readonly #outer: AbortSignal
  readonly #follow = (): void => this.controller.abort(reasonOf(this.#outer))
  #timer: ReturnType<typeof setTimeout> | undefined
  #heard = true

  constructor(outer: AbortSignal) {
    this.#outer = outer
    if (outer.aborted) this.#follow()
    else outer.addEventListener("abort", this.#follow, { once: true })
    this.#arm()
  }

  heard(): void {
    this.#heard = true
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#outer.removeEventListener("abort", this.#follow)
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      if (!this.#heard) return this.controller.abort(new Error("the provider fell silent"))
      this.#heard = false
      this.#arm()
    }, SILENCE_MS_MAX)
  }
}

/** A stream that is already closed or broken has nothing left to cancel. */
function ignore(): void {
  return undefined
}
