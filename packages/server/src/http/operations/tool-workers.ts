import type {
  ToolClaimBody,
  ToolFailBody,
  ToolHeartbeatBody,
  ToolProgressBody,
  ToolReleaseBody,
  ToolResultBody,
} from "@rouse/protocol"
import {
  toolClaimBody,
  toolFailBody,
  toolHeartbeatBody,
  toolProgressBody,
  toolReleaseBody,
  toolResultBody,
} from "@rouse/protocol/work-schemas"
import type { Operation, Taking } from "./operation.ts"

const CALL = "/v1/tool-calls/{type}/{id}/{call}"
const tag = "tool workers"
const errors: Operation["errors"] = ["NOT_FOUND", "INTERRUPTED", "FENCED", "STOPPED"]

export const claimToolCalls: Taking<ToolClaimBody> = {
  ...{ id: "claimToolCalls", method: "post", path: "/v1/tool-claims", tag },
  summary: "Take tool calls to run",
  description: "Waits up to `waitMs` for the first.",
  body: toolClaimBody,
  answers: { 200: "ToolClaims" },
}

export const heartbeatToolCall: Taking<ToolHeartbeatBody> = {
  ...{ id: "heartbeatToolCall", method: "post", path: `${CALL}/heartbeat`, tag },
  summary: "Say that a call is still run",
  body: toolHeartbeatBody,
  answers: { 200: "ToolHeartbeat" },
  errors,
}

export const progressToolCall: Taking<ToolProgressBody> = {
  ...{ id: "progressToolCall", method: "post", path: `${CALL}/progress`, tag },
  summary: "Say how far a call is",
  body: toolProgressBody,
  answers: { 200: "ToolHeartbeat" },
  errors,
}

export const finishToolCall: Taking<ToolResultBody> = {
  ...{ id: "finishToolCall", method: "post", path: `${CALL}/result`, tag },
  summary: "Give a call's result",
  body: toolResultBody,
  answers: { 200: "ToolSettled" },
  errors,
}

export const failToolCall: Taking<ToolFailBody> = {
  ...{ id: "failToolCall", method: "post", path: `${CALL}/fail`, tag },
  summary: "Say that a call failed",
  body: toolFailBody,
  answers: { 200: "ToolSettled" },
  errors,
}

export const releaseToolCall: Taking<ToolReleaseBody> = {
  ...{ id: "releaseToolCall", method: "post", path: `${CALL}/release`, tag },
  summary: "Give a call back",
  body: toolReleaseBody,
  answers: { 200: "ToolSettled" },
  errors,
}
