import type { LanguageModelV4, LanguageModelV4CallOptions } from "@ai-sdk/provider"
import { backoffMs, RouseError } from "@rouse/protocol"
import { sleep } from "./abort.ts"
import type { ModelRetry } from "./context.ts"
import { readProviderError } from "./core/provider-error.ts"
import type { ProviderFailure } from "./core/provider-error.ts"
import { Recorder } from "./core/recorder.ts"
import type { Host } from "./host.ts"
import { readAnswer } from "./model-stream.ts"
import { vaultOf } from "./secrets/vault.ts"

const TRIES = 4
const DELAY_MS = 500
const DELAY_MS_MAX = 60_000

export interface ModelAnswer {
  readonly recorder: Recorder
  readonly tries: number
}

/**
 * Asks the model until it answers in full: busy providers and cut connections are tried again, with backoff.
 *
 * @param onTry Is given the recorder of each try before anything streams into it.
 * @throws {RouseError} `MODEL_REFUSED`, `CONTEXT_OVERFLOW`; `MODEL_FAILED` when the tries are used up.
 */
export async function callModel(options: {
  readonly model: LanguageModelV4
  readonly name: string
  readonly call: LanguageModelV4CallOptions
  readonly retry: ModelRetry
  readonly host: Host
  readonly signal: AbortSignal
  readonly onTry: (recorder: Recorder) => void
}): Promise<ModelAnswer> {
  const { host, signal, retry } = options
  const triesMax = retry.attempts ?? TRIES
  for (let tries = 1; ; tries += 1) {
    const recorder = new Recorder()
    options.onTry(recorder)
    try {
      await readAnswer(options.model, options.call, recorder, signal)
      return { recorder, tries }
    } catch (error) {
      if (signal.aborted || RouseError.is(error)) throw error
      const failure = readProviderError(error, host.clock(), (text) => vaultOf(host).strictText(text))
      const waitMs = waitFor(failure, tries, triesMax, retry, host)
      if (waitMs === undefined) throw failed(options.name, failure, tries)
      host.log.warn("the model is tried again", { model: options.name, tries, waitMs, reason: failure.message })
      await (host.sleep ?? sleep)(waitMs, signal)
    }
  }
}

function waitFor(
  failure: ProviderFailure,
  tries: number,
  triesMax: number,
  retry: ModelRetry,
  host: Host,
): number | undefined {
  if (failure.kind !== "retry" || tries >= triesMax) return undefined
  const delayMsMax = retry.delayMsMax ?? DELAY_MS_MAX
  if (failure.retryAfterMs !== undefined && failure.retryAfterMs > delayMsMax) return undefined
  return failure.retryAfterMs ?? backoffMs(tries, retry.delayMs ?? DELAY_MS, delayMsMax, host.random())
}

function failed(name: string, failure: ProviderFailure, tries: number): RouseError {
  switch (failure.kind) {
    case "refused":
      return new RouseError("MODEL_REFUSED", `${name} refused the request: ${failure.message}`)
    case "overflow":
      return new RouseError(
        "CONTEXT_OVERFLOW",
        `the conversation is longer than ${name} accepts; use a model with a larger context, or begin a new entity (${failure.message})`,
      )
    case "retry":
      return new RouseError("MODEL_FAILED", `${name} failed ${tries} times: ${failure.message}`)
  }
}
