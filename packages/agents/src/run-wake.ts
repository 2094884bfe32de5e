import { RouseError } from "@rouse/protocol"
import type { WakeBackend, WakeOutcome, WakeRequest } from "@rouse/protocol"
import { isInterrupted, orAborted, reasonOf, sleep } from "./abort.ts"
import { settleInterrupted } from "./agent.ts"
import { validate } from "./core/validate.ts"
import type { EntityDefinition } from "./entity.ts"
import { handlerContext } from "./handler-context.ts"
import type { Host } from "./host.ts"
import { migrateRows } from "./migrate.ts"
import { failureInfo } from "./model-step.ts"
import { Session } from "./session.ts"

/** How long a handler may take to notice that its run was interrupted. */
const INTERRUPT_GRACE_MS = 2_000

/**
 * Runs a handler for one attempt of one wake.
 *
 * Resolves after the one commit that finishes the wake. Rejects when the attempt failed: the handler threw, the lease is lost, the host
 * stops. Nothing more is written after either.
 *
 * @throws What the handler threw, or the reason of `backend.signal`: `FENCED`, `STOPPED`, `TIMED_OUT`, `SHUTTING_DOWN`.
 * @see DESIGN §4.2
 */
export async function runWake(
  definition: EntityDefinition,
  request: WakeRequest,
  backend: WakeBackend,
  host: Host,
): Promise<void> {
  const session = new Session(request, backend, host, definition.approvals)
  try {
    if (session.signal.aborted && !isInterrupted(session.signal)) throw reasonOf(session.signal)
    const outcome = await outcomeOf(definition, session)
    await session.finish(outcome)
    // The handler is left where it is: what it might still do belongs to the next attempt.
    if (outcome === SLICED || (outcome.kind === "suspended" && outcome.left !== undefined))
      session.abandon(new RouseError("FENCED", "the wake goes on in its next attempt"))
  } catch (error) {
    session.abandon(error)
    throw session.vault.error(error)
  }
}

/** How a handler is left where it is. */
const SLICED: WakeOutcome = { kind: "sliced" }

async function outcomeOf(definition: EntityDefinition, session: Session): Promise<WakeOutcome> {
  const interrupting = session.interruptingMessage()
  if (interrupting !== undefined) return await interrupted(session, "a message interrupted the run")
  if (isInterrupted(session.signal)) return await interrupted(session, reasonOf(session.signal).message)
  try {
    const handled = run(definition, session).then(() => undefined)
    const parked = session.parked.then((): WakeOutcome => ({ kind: "suspended", left: session.left }))
    const left = await Promise.race([handled, session.sliced.then(() => SLICED), parked])
    if (left && !isInterrupted(session.signal)) return left
  } catch (error) {
    if (isInterrupted(session.signal)) return await interrupted(session, reasonOf(session.signal).message)
    if (session.signal.aborted) throw reasonOf(session.signal)
    if (error !== session.failure) throw error
    return { kind: "failed", error: failureInfo(session, error) }
  }
  if (isInterrupted(session.signal)) return await interrupted(session, reasonOf(session.signal).message)
  if (session.looping)
    throw new RouseError("HANDLER_FAILED", "the handler returned while agent.run() was under way: await it")
  if (session.suspended) return { kind: "suspended" }
  return { kind: "completed", reply: session.reply ?? session.answer ?? null }
}

async function interrupted(session: Session, reason: string): Promise<WakeOutcome> {
  await settleInterrupted(session)
  return { kind: "interrupted", reason }
}

/** The handler, until it ends or must be given up: an interrupt gives it a moment to end by itself. */
async function run(definition: EntityDefinition, session: Session): Promise<void> {
  const args = definition.args ? await validate(definition.args, session.entity.args, "args") : session.entity.args
  if (definition.schema !== undefined) await migrateRows(definition, definition.schema, session)
  const ctx = handlerContext(definition, session, args)
  const handling = Promise.resolve().then(() => definition.handler(ctx, ctx.wake))
  try {
    await orAborted(handling, session.signal)
  } catch (error) {
    if (!isInterrupted(session.signal)) throw error
    const grace = new AbortController()
    const given = sleep(INTERRUPT_GRACE_MS, grace.signal)
    given.catch(() => session.host.log.debug("the handler noticed the interrupt"))
    await Promise.race([handling.finally(() => grace.abort(new RouseError("INTERRUPTED", "done"))), given])
  }
}
