import { RouseError, type WakeAnswer, type WakeDelivery, type WakeRequest } from "@rouse/protocol"
import { wakeAnswer } from "@rouse/protocol/dispatch-schemas"
import { newId } from "../core/id.ts"
import type { Plane } from "../plane.ts"
import { EndpointFailure } from "./endpoint-failure.ts"
import { handlerError } from "./handler-error.ts"
import type { RunningWake, WakeRunner } from "./runner.ts"

/** Tries of a commit that came with an answer, while the store cannot take it. */
const COMMIT_TRIES_MAX = 5
const COMMIT_DELAY_MS = 50

/**
 * Handlers behind a webhook: one request with the wake and its live rows, answered with the commit that ends it. Commits that were to be
 * durable before that have come on their own, by the claim.
 */
export function webhookRunner(plane: Plane, endpoint: string): WakeRunner {
  return { run: (request, wake) => run(plane, endpoint, request, wake) }
}

async function run(plane: Plane, endpoint: string, request: WakeRequest, wake: RunningWake): Promise<void> {
  const { circuits } = plane.remote
  let answer: WakeAnswer
  try {
    answer = await deliver(plane, endpoint, request, wake)
    circuits.succeed(endpoint)
  } catch (error) {
    if (wake.finished) return
    if (!(error instanceof EndpointFailure)) {
      if (RouseError.is(error, "TIMED_OUT")) circuits.fail(endpoint, error.message)
      else circuits.cancel(endpoint)
      throw error
    }
    const isProbe = circuits.isProbing(endpoint)
    circuits.fail(endpoint, error.message)
    throw isProbe ? new EndpointFailure("unreachable", error.message, { cause: error }) : error
  }
  await settle(plane, answer, wake)
}

async function deliver(plane: Plane, endpoint: string, request: WakeRequest, wake: RunningWake): Promise<WakeAnswer> {
  const { deliveries } = plane.remote
  if (!deliveries) throw new EndpointFailure("unreachable", "this server sends no webhooks")
  const body = JSON.stringify(await deliveryOf(plane, request, wake))
  const answer = wakeAnswer.safeParse(await deliveries.post(endpoint, body, cutOff(wake)))
  if (answer.success) return answer.data
  const issue = answer.error.issues[0]
  throw new EndpointFailure(
    "bad",
    `the handler's answer is not one: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "it is not valid"}`,
  )
}

/** What a handler elsewhere is given. */
export async function deliveryOf(
  plane: Plane,
  request: WakeRequest,
  wake: Pick<RunningWake, "lease" | "interrupting">,
): Promise<WakeDelivery> {
  return {
    kind: "wake",
    delivery: newId(plane.clock(), plane.random),
    request,
    claim: await plane.remote.claims.make(wake.lease),
    leaseMs: plane.limits.remoteLeaseMs,
    ...(wake.interrupting === undefined ? {} : { interrupting: wake.interrupting }),
  }
}

/** An interrupted handler, or one whose server goes away, is heard to its end; one that may do nothing more is cut off. */
function cutOff(wake: RunningWake): AbortSignal {
  const cut = new AbortController()
  const onAbort = (): void => {
    if (!RouseError.is(wake.signal.reason, "INTERRUPTED", "SHUTTING_DOWN")) cut.abort(wake.signal.reason)
  }
  if (wake.signal.aborted) onAbort()
  else wake.signal.addEventListener("abort", onAbort, { once: true })
  const { over } = wake
  const onOver = (): void => cut.abort(over.reason)
  if (over.aborted) onOver()
  else over.addEventListener("abort", onOver, { once: true })
  return cut.signal
}

async function settle(plane: Plane, answer: WakeAnswer, wake: RunningWake): Promise<void> {
  if (wake.finished) return
  switch (answer.kind) {
    case "failed":
      throw handlerError(answer.error)
    case "released":
      throw new RouseError("SHUTTING_DOWN", "the handler's host gave the wake back")
    case "continues":
      return await wake.detach()
    case "finished":
      if (!answer.commit.finish) throw new EndpointFailure("bad", "the handler's answer does not finish the wake")
      return await commit(plane, answer.commit, wake)
  }
}

async function commit(
  plane: Plane,
  last: Extract<WakeAnswer, { readonly kind: "finished" }>["commit"],
  wake: RunningWake,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await wake.commit(last)
      return
    } catch (error) {
      const isPassing = RouseError.is(error, "STORE_UNAVAILABLE", "OVERLOADED", "CONFLICT")
      if (!isPassing || attempt >= COMMIT_TRIES_MAX) throw error
      await new Promise<void>((resolve) => plane.defer(COMMIT_DELAY_MS * 2 ** (attempt - 1), resolve))
    }
  }
}
