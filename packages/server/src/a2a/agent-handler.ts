import {
  type AgentCard,
  type CancelTaskRequest,
  type GetTaskRequest,
  type ListTasksRequest,
  type ListTasksResponse,
  type Message,
  type SendMessageRequest,
  type StreamResponse,
  type SubscribeToTaskRequest,
  type Task,
  TaskState,
} from "@a2a-js/sdk"
import {
  ExtendedAgentCardNotConfiguredError,
  PushNotificationNotSupportedError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors"
import type { A2ARequestHandler } from "@a2a-js/sdk/server"
import { entityUrl, isEntityId, type MessageRow, type Principal, RouseError, type Settled } from "@rouse/protocol"
import { conversationId, converse } from "../converse.ts"
import { anyRow } from "../history.ts"
import { tailOf } from "../http/entity-routes.ts"
import type { Plane } from "../plane.ts"
import type { ReceiptKey } from "../receipts.ts"
import { isTerminal, settledOf, waitForSettled } from "../settlement.ts"
import { signal } from "../signals.ts"
import { contentOf, parseTaskId, taskId, taskOf, type TaskName } from "./task.ts"
import { taskUpdates } from "./task-updates.ts"

/** How long an answer that is not streamed is waited for. */
const WAIT_MS = 600_000
/** How long a task that is cancelled is waited for. */
const CANCEL_MS = 5_000
const PAGE = 50
const PAGE_MAX = 100

/** One request to the agents of a type. */
export interface Asked {
  readonly plane: Plane
  readonly type: string
  readonly card: AgentCard
  readonly principal: Principal
  /** Of the request, known by its message's id. */
  readonly receipt: (message: Message) => Promise<ReceiptKey | undefined>
  readonly stop: AbortSignal
}

/**
 * The operations of A2A 1.0 (§3.1) on the agents of one type. What is asked is a message to an agent, and all state is on its log: any server
 * answers for any task.
 */
export class AgentHandler implements A2ARequestHandler {
  readonly #asked: Asked

  constructor(asked: Asked) {
    this.#asked = asked
  }

  getAgentCard(): Promise<AgentCard> {
    return Promise.resolve(this.#asked.card)
  }

  getAuthenticatedExtendedAgentCard(): Promise<AgentCard> {
    return Promise.reject(new ExtendedAgentCardNotConfiguredError("the agent's card is all there is"))
  }

  async sendMessage(request: SendMessageRequest): Promise<Task> {
    const { plane, stop } = this.#asked
    const { name } = await this.#post(request)
    if (request.configuration?.returnImmediately !== true)
      await waitForSettled(plane, this.#url(name), name.message, WAIT_MS, stop)
    return await this.#task(name)
  }

  async *sendMessageStream(request: SendMessageRequest): AsyncGenerator<StreamResponse, void, undefined> {
    const { plane, stop } = this.#asked
    const { name, from } = await this.#post(request)
    yield { payload: { $case: "task", value: await this.#task(name) } }
    yield* taskUpdates(plane, this.#url(name), name, from, stop)
  }

  async *resubscribe({ id }: SubscribeToTaskRequest): AsyncGenerator<StreamResponse, void, undefined> {
    const { plane, stop } = this.#asked
    const name = nameOf(id)
    const url = this.#url(name)
    const from = await tailOf(plane, url)
    const settled = await this.#settled(name)
    if (isTerminal(settled.status)) throw new UnsupportedOperationError(`the task is over: it is ${settled.status}`)
    yield { payload: { $case: "task", value: await this.#task(name) } }
    yield* taskUpdates(plane, url, name, from, stop)
  }

  getTask({ id }: GetTaskRequest): Promise<Task> {
    return this.#task(nameOf(id))
  }

  /** The tasks of one agent that are live: newest first. */
  async listTasks(request: ListTasksRequest): Promise<ListTasksResponse> {
    const { contextId, status, pageSize = PAGE, pageToken, includeArtifacts = false } = request
    if (contextId === "") throw new RequestMalformedError("contextId: is required: tasks are listed for one agent")
    if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > PAGE_MAX)
      throw new RequestMalformedError(`pageSize: must be 1 to ${PAGE_MAX}`)
    const rows = await this.#asked.plane.transactor.rows(this.#url({ id: contextId, message: "" }), "message")
    const keys = rows
      .filter(({ value }) => (value as unknown as MessageRow).kind === "message")
      .map(({ key }) => key)
      .toReversed()
    const all = await Promise.all(keys.map((message) => this.#task({ id: contextId, message })))
    const wanted = all.filter((task) => status === TaskState.TASK_STATE_UNSPECIFIED || task.status?.state === status)
    const at = pageToken === "" ? 0 : wanted.findIndex(({ id }) => id === pageToken) + 1
    const tasks = wanted.slice(at, at + pageSize)
    const nextPageToken = at + pageSize < wanted.length ? (tasks.at(-1)?.id ?? "") : ""
    const shown = includeArtifacts ? tasks : tasks.map((task) => ({ ...task, artifacts: [] }))
    return { tasks: shown, nextPageToken, pageSize, totalSize: wanted.length }
  }

  /** Interrupts the run that has taken the message. */
  async cancelTask({ id }: CancelTaskRequest): Promise<Task> {
    const { plane, principal, stop } = this.#asked
    const name = nameOf(id)
    const before = await this.#settled(name)
    if (isTerminal(before.status)) throw new TaskNotCancelableError(`the task is over: it is ${before.status}`)
    const url = this.#url(name)
    await signal(plane, { to: url, name: "interrupt", from: principal }, () => undefined)
    const { status } = await waitForSettled(plane, url, name.message, CANCEL_MS, stop)
    if (!isTerminal(status)) throw new TaskNotCancelableError(`the task is ${status}: no run has begun with it yet`)
    return await this.#task(name)
  }

  createTaskPushNotificationConfig(): Promise<never> {
    return noPush()
  }

  getTaskPushNotificationConfig(): Promise<never> {
    return noPush()
  }

  listTaskPushNotificationConfigs(): Promise<never> {
    return noPush()
  }

  deleteTaskPushNotificationConfig(): Promise<never> {
    return noPush()
  }

  async #post({ message }: SendMessageRequest): Promise<{ name: TaskName; from: Awaited<ReturnType<typeof tailOf>> }> {
    const { plane, type, principal } = this.#asked
    if (message === undefined) throw new RequestMalformedError("message: is required")
    const content = contentOf(message)
    const goesOn = await this.#goesOn(message)
    const receipt = await this.#asked.receipt(message)
    const id = goesOn?.id ?? conversationId(plane, message.contextId, "contextId", "a2a")
    const partner = { url: entityUrl(type, id), type, id }
    const posted = await converse(
      plane,
      () => partner,
      () => content,
      { via: "a2a", from: principal, receipt },
    )
    const made = posted.url.slice(posted.url.lastIndexOf("/") + 1)
    return { name: goesOn ?? { id: made, message: posted.message }, from: posted.from }
  }

  /** The task that a message goes on with: what it says joins the run under way. */
  async #goesOn({ taskId: id, contextId }: Message): Promise<TaskName | undefined> {
    if (id === "") return undefined
    const name = nameOf(id)
    if (contextId !== "" && contextId !== name.id)
      throw new RequestMalformedError(`contextId: the task is of the context ${name.id}`)
    const { status } = await this.#settled(name)
    if (isTerminal(status)) throw new UnsupportedOperationError(`the task is over: it is ${status}`)
    return name
  }

  async #task(name: TaskName): Promise<Task> {
    const settled = await this.#settled(name)
    const row = await anyRow(this.#asked.plane, this.#url(name), "message", name.message)
    return taskOf(name, settled, row?.value as unknown as MessageRow | undefined)
  }

  /** @throws {A2AError} when there is no such task. */
  async #settled(name: TaskName): Promise<Settled> {
    try {
      return await settledOf(this.#asked.plane, this.#url(name), name.message)
    } catch (error) {
      if (RouseError.is(error, "UNKNOWN_ENTITY")) throw new TaskNotFoundError(`there is no task ${taskId(name)}`)
      throw error
    }
  }

  #url({ id }: TaskName): ReturnType<typeof entityUrl> {
    if (!isEntityId(id)) throw new TaskNotFoundError(`there is no context ${id}`)
    return entityUrl(this.#asked.type, id)
  }
}

function nameOf(id: string): TaskName {
  const name = parseTaskId(id)
  if (!name) throw new TaskNotFoundError(`there is no task ${id}`)
  return name
}

function noPush(): Promise<never> {
  return Promise.reject(new PushNotificationNotSupportedError("subscribe to the agent's log instead"))
}
