import { type Artifact, type Message, type Part, Role, type Task, TaskState, type TaskStatus } from "@a2a-js/sdk"
import { ContentTypeNotSupportedError, RequestMalformedError } from "@a2a-js/sdk/errors"
import type { Json, MessageRow, Settled } from "@rouse/protocol"

/**
 * A2A's task is one message to an agent, and what becomes of it. Its context is the agent.
 *
 * ```
 * accepted   submitted        processed   completed, with the reply as its artifact
 * taken      working          dead        failed          cancelled   canceled
 * ```
 */

const STATES: Readonly<Record<MessageRow["status"], TaskState>> = {
  accepted: TaskState.TASK_STATE_SUBMITTED,
  taken: TaskState.TASK_STATE_WORKING,
  processed: TaskState.TASK_STATE_COMPLETED,
  cancelled: TaskState.TASK_STATE_CANCELED,
  dead: TaskState.TASK_STATE_FAILED,
}

/** The one artifact of a task. */
export const REPLY = "reply"

export interface TaskName {
  /** The agent's id: the context. */
  readonly id: string
  readonly message: string
}

export function taskId({ id, message }: TaskName): string {
  return `${id}:${message}`
}

export function parseTaskId(text: string): TaskName | undefined {
  const found = /^([^:]+):([^:]+)$/.exec(text)
  return found?.[1] === undefined || found[2] === undefined ? undefined : { id: found[1], message: found[2] }
}

export function taskOf(name: TaskName, settled: Settled, asked?: MessageRow): Task {
  const history = asked === undefined ? [] : [askedMessage(name, asked)]
  return {
    id: taskId(name),
    contextId: name.id,
    status: statusOf(name, settled),
    artifacts: settled.status === "processed" ? [artifactOf([partOf(settled.reply)])] : [],
    history,
    metadata: undefined,
  }
}

export function statusOf(name: TaskName, { status, reason }: Pick<Settled, "status" | "reason">): TaskStatus {
  const message = reason === undefined ? undefined : messageOf(name, Role.ROLE_AGENT, [partOf(reason)], "reason")
  return { state: STATES[status], message, timestamp: undefined }
}

export function artifactOf(parts: Part[]): Artifact {
  return { artifactId: REPLY, name: REPLY, description: "", parts, metadata: undefined, extensions: [] }
}

/** Text as text, and any other JSON as data. */
export function partOf(value: Json): Part {
  const isText = typeof value === "string" || value === null
  const content = isText ? ({ $case: "text", value: value ?? "" } as const) : ({ $case: "data", value } as const)
  return { content, metadata: undefined, filename: "", mediaType: isText ? "text/plain" : "application/json" }
}

/**
 * What a message says to an agent: its text; or its data, when it is one part of data and nothing else.
 *
 * @throws {A2AError} for files, and when there is nothing.
 */
export function contentOf({ parts }: Message): Json {
  const said = parts.map(({ content }) => {
    if (content?.$case === "text") return content.value
    if (content?.$case === "data") return (content.value ?? null) as Json
    throw new ContentTypeNotSupportedError(
      "message.parts: files are not taken here; put them on the agent, and name them",
    )
  })
  const [first] = said
  if (first === undefined) throw new RequestMalformedError("message.parts: must have something to say")
  if (said.length === 1) return first
  return said.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n\n")
}

function askedMessage(name: TaskName, { content }: MessageRow): Message {
  return messageOf(name, Role.ROLE_USER, [partOf(content)], "asked")
}

function messageOf(name: TaskName, role: Role, parts: Part[], part: string): Message {
  return {
    messageId: `${taskId(name)}:${part}`,
    contextId: name.id,
    taskId: taskId(name),
    role,
    parts,
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  }
}
