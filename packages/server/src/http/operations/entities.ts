import type {
  ApprovalBody,
  EntityQuery,
  ForkBody,
  LogPageQuery,
  ObserveBody,
  ScheduleBody,
  SendBody,
  SignalBody,
  SpawnBody,
  TagsBody,
} from "@rouse/protocol"
import {
  approvalBody,
  deadLetterBody,
  entityQuery,
  forkBody,
  logPageQuery,
  observeBody,
  scheduleBody,
  sendBody,
  signalBody,
  spawnBody,
  tagsBody,
} from "@rouse/protocol/schemas"
import type { DeadLetterBody } from "@rouse/protocol"
import type { Asking, Operation, Taking } from "./operation.ts"
import {
  importQuery,
  type ImportQuery,
  purgeQuery,
  type PurgeQuery,
  stateQuery,
  type StateQuery,
  treeQuery,
  type TreeQuery,
  waitQuery,
  type WaitQuery,
} from "./query.ts"

const ENTITY = "/v1/entities/{type}/{id}"
const tag = "entities"

export const listEntities: Asking<EntityQuery> = {
  ...{ id: "listEntities", method: "get", path: "/v1/entities", tag },
  summary: "List agents, newest activity first",
  description:
    "With `Accept: text/event-stream`: the first page (`page`), and then every agent that comes to match or changes (`entity`), or ceases to match (`gone`).",
  query: entityQuery,
  answers: { 200: { "application/json": "EntityPage", "text/event-stream": "events" } },
}

export const spawnEntity: Taking<SpawnBody> & Asking<WaitQuery> = {
  ...{ id: "spawnEntity", method: "put", path: ENTITY, tag, once: true },
  summary: "Spawn an agent, with a first message or without",
  description: "The same spawn again changes nothing and is answered 200.",
  query: waitQuery,
  body: spawnBody,
  answers: { 200: "Spawned", 201: "Spawned" },
  answerHeaders: {
    200: { Location: "The agent's address in this API." },
    201: { Location: "The agent's address in this API." },
  },
  errors: ["UNKNOWN_TYPE", "ALREADY_EXISTS", "STOPPED", "BUDGET_EXHAUSTED", "GONE", "RATE_LIMITED"],
}

export const getEntity: Operation = {
  ...{ id: "getEntity", method: "get", path: ENTITY, tag },
  summary: "An agent, the end of its log, and what its collections hold",
  answers: { 200: "EntityDetail" },
  errors: ["GONE"],
}

export const deleteEntity: Asking<PurgeQuery> = {
  ...{ id: "deleteEntity", method: "delete", path: ENTITY, tag },
  summary: "Delete an agent",
  description: "Its log is kept until its retention ends, unless it is purged.",
  query: purgeQuery,
  answers: { 204: null },
}

export const getState: Asking<StateQuery> = {
  ...{ id: "getState", method: "get", path: `${ENTITY}/state`, tag },
  summary: "The rows of an agent, now or at an offset of its log",
  query: stateQuery,
  answers: { 200: "State" },
  errors: ["BAD_OFFSET", "GONE"],
}

export const getCollection: Asking<StateQuery> = {
  ...{ id: "getCollection", method: "get", path: `${ENTITY}/state/{collection}`, tag },
  summary: "The rows of one collection of an agent",
  query: stateQuery,
  answers: { 200: "State" },
  errors: ["BAD_OFFSET", "GONE"],
}

export const readLog: Asking<LogPageQuery> = {
  ...{ id: "readLog", method: "get", path: `${ENTITY}/log`, tag },
  summary: "An agent's log from its end, commit by commit",
  query: logPageQuery,
  answers: { 200: "LogPage" },
  errors: ["BAD_OFFSET", "GONE"],
}

export const sendMessage: Taking<SendBody> & Asking<WaitQuery> = {
  ...{ id: "sendMessage", method: "post", path: `${ENTITY}/messages`, tag, once: true },
  summary: "Send a message",
  description:
    "Accepted means on disk: from then on the message is settled exactly once. With `wait`, the reply once it is settled (200), or how it stands when the wait ends (202). With `Accept: text/event-stream`: `accepted`, every `change` on the log from the message on, and `settled` last.",
  query: waitQuery,
  body: sendBody,
  answers: {
    200: { "application/json": "Settled", "text/event-stream": "events" },
    202: { "application/json": "Accepted" },
  },
  errors: ["STOPPED", "NOT_FOUND", "RATE_LIMITED", "GONE"],
}

export const signalEntity: Taking<SignalBody> = {
  ...{ id: "signalEntity", method: "post", path: `${ENTITY}/signals`, tag, once: true },
  summary: "Interrupt, pause, resume or kill an agent, or give it a signal of its own",
  body: signalBody,
  answers: { 202: "Accepted" },
  errors: ["STOPPED"],
}

export const tagEntity: Taking<TagsBody> = {
  ...{ id: "tagEntity", method: "post", path: `${ENTITY}/tags`, tag },
  summary: "Set tags, or with null remove them",
  body: tagsBody,
  answers: { 200: "EntityDetail" },
  errors: ["STOPPED"],
}

export const forkEntity: Taking<ForkBody> = {
  ...{ id: "forkEntity", method: "post", path: `${ENTITY}/fork`, tag, once: true },
  summary: "Make an agent of this one's history",
  body: forkBody,
  answers: { 200: "Forked", 201: "Forked" },
  answerHeaders: {
    200: { Location: "The fork's address in this API." },
    201: { Location: "The fork's address in this API." },
  },
  errors: ["UNKNOWN_TYPE", "BAD_OFFSET", "GONE", "ALREADY_EXISTS", "BUDGET_EXHAUSTED", "FORK_SOURCE_GONE"],
}

export const exportEntity: Asking<TreeQuery> = {
  ...{ id: "exportEntity", method: "get", path: `${ENTITY}/export`, tag },
  summary: "An agent as a file: its log, rows and attachments",
  query: treeQuery,
  answers: { 200: { "application/x-ndjson": "bytes" } },
}

export const importEntities: Asking<ImportQuery> = {
  ...{ id: "importEntities", method: "post", path: "/v1/import", tag },
  summary: "Make the agents, or the shared space, that an export holds, all or none",
  query: importQuery,
  upload: "application/x-ndjson",
  answers: { 201: "Imported" },
  errors: ["BAD_REQUEST", "ALREADY_EXISTS", "UNKNOWN_TYPE", "UNKNOWN_ENTITY", "DIGEST_MISMATCH"],
}

export const listSchedules: Operation = {
  ...{ id: "listSchedules", method: "get", path: `${ENTITY}/schedules`, tag },
  summary: "What is sent to an agent by the clock",
  answers: { 200: "ScheduleList" },
}

export const setSchedule: Taking<ScheduleBody> = {
  ...{ id: "setSchedule", method: "post", path: `${ENTITY}/schedules`, tag, once: true },
  summary: "Have a message sent by the clock",
  body: scheduleBody,
  answers: { 200: "ScheduleInfo" },
  errors: ["STOPPED"],
}

export const deleteSchedule: Operation = {
  ...{ id: "deleteSchedule", method: "delete", path: `${ENTITY}/schedules/{name}`, tag, once: true },
  summary: "End a schedule",
  answers: { 204: null },
  errors: ["NOT_FOUND", "STOPPED"],
}

export const listObservations: Operation = {
  ...{ id: "listObservations", method: "get", path: `${ENTITY}/observations`, tag },
  summary: "What an agent observes",
  answers: { 200: "ObservationList" },
}

export const setObservation: Taking<ObserveBody> = {
  ...{ id: "setObservation", method: "post", path: `${ENTITY}/observations`, tag, once: true },
  summary: "Have an agent roused by what happens in another, in a set of them, or in a stream",
  body: observeBody,
  answers: { 200: "ObservationInfo" },
  errors: ["STOPPED", "BAD_OFFSET", "GONE"],
}

export const deleteObservation: Operation = {
  ...{ id: "deleteObservation", method: "delete", path: `${ENTITY}/observations/{name}`, tag, once: true },
  summary: "End an observation",
  answers: { 204: null },
  errors: ["NOT_FOUND", "INVALID_ARGS", "STOPPED"],
}

export const decideApproval: Taking<ApprovalBody> = {
  ...{ id: "decideApproval", method: "post", path: `${ENTITY}/approvals/{call}`, tag },
  summary: "Allow or deny what waits for a person, or answer it",
  body: approvalBody,
  answers: { 202: "Decided" },
  errors: ["NOT_FOUND", "ALREADY_EXISTS", "STOPPED"],
}

export const retryMessages: Taking<DeadLetterBody> = {
  ...{ id: "retryMessages", method: "post", path: `${ENTITY}/retry`, tag, once: true },
  summary: "Accept dead messages again, some or all",
  body: deadLetterBody,
  answers: { 202: "Resettled" },
  errors: ["NOT_FOUND", "STOPPED"],
}

export const discardMessages: Taking<DeadLetterBody> = {
  ...{ id: "discardMessages", method: "post", path: `${ENTITY}/discard`, tag, once: true },
  summary: "Give dead messages up, some or all",
  body: deadLetterBody,
  answers: { 202: "Resettled" },
  errors: ["NOT_FOUND", "STOPPED"],
}
