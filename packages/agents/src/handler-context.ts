import type {
  BudgetRequest,
  ChangeNotice,
  ChildFinished,
  ChildRow,
  EntityUrl,
  Json,
  JsonObject,
  MessageRow,
  TimeoutNotice,
} from "@rouse/protocol"
import { Asks } from "./ask.ts"
import type { AskOptions } from "./ask.ts"
import { AgentLoop } from "./agent.ts"
import { readAttachmentTool } from "./attachment-tools.ts"
import { attachmentsOf } from "./attachments.ts"
import type { Attachments } from "./attachments.ts"
import type { Context, Wake } from "./context.ts"
import { toJson } from "./core/validate.ts"
import type { EntityDefinition, StateSpec } from "./entity.ts"
import type { Log } from "./log.ts"
import { Steps } from "./memo.ts"
import { Outbox } from "./outbox.ts"
import { platformTools } from "./platform-tools.ts"
import { Scopes } from "./scope.ts"
import type { Session } from "./session.ts"
import { Sources } from "./sources.ts"
import type { Spaces } from "./space.ts"
import { spacesOf } from "./spaces-of.ts"
import { State } from "./state.ts"
import type { Tool } from "./tool.ts"
import { toolkitOf } from "./toolkit.ts"

/** What the handler is given. @param args The entity's arguments, as the schema makes them. */
export function handlerContext(
  definition: EntityDefinition,
  session: Session,
  args: unknown,
): Context<unknown, StateSpec> {
  const scopes = new Scopes()
  const outbox = new Outbox(session, scopes)
  const steps = new Steps(session, scopes, outbox)
  const asks = new Asks(session, scopes)
  const sources = new Sources()
  const agent = new AgentLoop(session, scopes, outbox, sources)
  const state = new State(definition.state, session, scopes)
  const wake = wakeOf(session)
  let spaces: Spaces | undefined
  return Object.assign(new Lazy(session), {
    entity: session.entity,
    args,
    wake,
    signal: session.signal,
    state: state.collections,
    agent: { run: (options) => heard(agent.run(options)) },
    messages: wake.messages,
    secret: (wanted) => heard(session.vault.resolve(wanted)),
    useAgent: (options) => agent.use(options),
    useContext: (source) => sources.use(source),
    step: (name, fn) => heard(steps.run(name, fn)),
    send: (to, content, options) => outbox.send(to, content, options),
    spawn: (type, id, spawnArgs, options) => outbox.spawn(type, id, spawnArgs, options),
    fork: (at, options) => outbox.fork(at, options),
    ask: (to: EntityUrl, content: Json, options?: AskOptions) =>
      heard(asks.ask(to, content, options)) as Promise<never>,
    answerBudget: (answer) => {
      session.writer.batch.budgets.push(answer)
    },
    schedule: (name, rule, message, options) => outbox.schedule(name, rule, message, options),
    unschedule: (name) => outbox.unschedule(name),
    observe: (source, options) => outbox.observe(source, options),
    unobserve: (name) => outbox.unobserve(name),
    shared: (id, schema) => (spaces ??= spacesOf(schema, session, scopes)).open(id, schema),
    suspend: () => {
      session.suspended = true
    },
    reply: (value) => {
      session.reply = toJson(value, "reply")
    },
    tag: (name, value) => outbox.tag(name, value),
    commit: () => heard(session.flush()),
  } satisfies Omit<Context<unknown, StateSpec>, keyof Lazy>)
}

/**
 * What of the context is made when it is asked for. A class, since an object with accessors of its own has no shape that the engine shares
 * between contexts: it took 1.6 KB more of each run in flight.
 */
class Lazy {
  readonly #session: Session
  #tools: readonly Tool[] | undefined
  #attachments: Attachments | undefined

  constructor(session: Session) {
    this.#session = session
  }

  get log(): Log {
    return toolkitOf(this.#session).log
  }

  get attachments(): Attachments {
    this.#attachments ??= attachmentsOf(this.#session)
    return this.#attachments
  }

  get tools(): readonly Tool[] {
    const session = this.#session
    this.#tools ??= [...platformTools(), ...(session.attachments ? [readAttachmentTool(session)] : [])]
    return this.#tools
  }

  get children(): readonly ChildRow[] {
    return this.#session.rows.list("child")
  }
}

/** A promise that the author does not await must not end the process when it rejects: the wake fails by other means. */
function heard<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

function wakeOf(session: Session): Wake {
  const { first } = session
  const { id, attempt, reasons, deadlineAtMs } = session.wake
  const rows = session.messages.flatMap((key) => session.rows.get("message", key) ?? [])
  const of = (kind: MessageRow["kind"]): readonly MessageRow[] => rows.filter((row) => row.kind === kind)
  return {
    id,
    attempt,
    first,
    reasons,
    deadlineAtMs,
    messages: of("message"),
    childFinished: of("childFinished").map((row) => row.content as unknown as ChildFinished),
    budgets: of("budget").map((row) => row.content as unknown as BudgetRequest),
    changes: of("change").map((row) => row.content as unknown as ChangeNotice),
    timeouts: of("timeout").map((row) => row.content as unknown as TimeoutNotice),
    signals: of("signal").map(signalOf),
  }
}

function signalOf(row: MessageRow): { readonly name: string; readonly payload: Json } {
  const { name, payload } = row.content as JsonObject
  return { name: typeof name === "string" ? name : "", payload: payload ?? null }
}
