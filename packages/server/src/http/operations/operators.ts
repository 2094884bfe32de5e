import type { ApprovalQuery, ScheduleQuery, UsageQuery } from "@rouse/protocol"
import { deadLetterQuery, scheduleQuery, usageQuery } from "@rouse/protocol/schemas"
import { approvalQuery } from "@rouse/protocol/work-schemas"
import type { Asking, Operation } from "./operation.ts"
import type { PageQuery } from "./query.ts"

const tag = "operators"

export const listApprovals: Asking<ApprovalQuery> = {
  ...{ id: "listApprovals", method: "get", path: "/v1/approvals", tag },
  summary: "What waits for people, of all agents",
  query: approvalQuery,
  answers: { 200: "ApprovalPage" },
}

export const getUsage: Asking<UsageQuery> = {
  ...{ id: "getUsage", method: "get", path: "/v1/usage", tag },
  summary: "What models used and cost, summed up",
  query: usageQuery,
  answers: { 200: "UsageReport" },
}

export const listDeadLetters: Asking<PageQuery> = {
  ...{ id: "listDeadLetters", method: "get", path: "/v1/dead-letters", tag },
  summary: "Messages that could not be processed, and why",
  query: deadLetterQuery,
  answers: { 200: "DeadLetterPage" },
}

export const listAllSchedules: Asking<ScheduleQuery> = {
  ...{ id: "listAllSchedules", method: "get", path: "/v1/schedules", tag },
  summary: "Schedules of all agents, and messages for later, those that come due first before others",
  query: scheduleQuery,
  answers: { 200: "SchedulePage" },
}

export const listKeys: Operation = {
  ...{ id: "listKeys", method: "get", path: "/v1/keys", tag },
  summary: "The names and scopes of the server's tokens",
  answers: { 200: "KeyList" },
}
