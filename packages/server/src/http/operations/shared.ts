import type { SharedClaimBody, SharedDefinition } from "@rouse/protocol"
import { sharedClaimBody, sharedDefinition, sharedOpsBody } from "@rouse/protocol/schemas"
import type { SharedOpsBody } from "@rouse/protocol"
import type { Asking, Operation, Taking } from "./operation.ts"
import { pageQuery, type PageQuery, sharedRowsQuery, type SharedRowsQuery } from "./query.ts"

const SPACE = "/v1/shared/{space}"
const tag = "shared"

export const listSpaces: Asking<PageQuery> = {
  ...{ id: "listSpaces", method: "get", path: "/v1/shared", tag },
  summary: "The shared spaces",
  query: pageQuery,
  answers: { 200: "SharedList" },
  errors: ["BAD_REQUEST"],
}

export const defineSpace: Taking<SharedDefinition> = {
  ...{ id: "defineSpace", method: "put", path: SPACE, tag },
  summary: "Make a shared space, or change its definition",
  body: sharedDefinition,
  answers: { 200: "SharedInfo", 201: "SharedInfo" },
  errors: ["BAD_REQUEST", "ALREADY_EXISTS"],
}

export const getSpace: Operation = {
  ...{ id: "getSpace", method: "get", path: SPACE, tag },
  summary: "A shared space",
  description: "With `Accept: application/x-ndjson`: the space as a file, with its rows.",
  answers: { 200: { "application/json": "SharedInfo", "application/x-ndjson": "bytes" } },
  errors: ["BAD_REQUEST", "NOT_FOUND"],
}

export const deleteSpace: Operation = {
  ...{ id: "deleteSpace", method: "delete", path: SPACE, tag },
  summary: "Delete a shared space and its rows",
  answers: { 204: null },
  errors: ["BAD_REQUEST", "NOT_FOUND"],
}

export const claimRows: Taking<SharedClaimBody> = {
  ...{ id: "claimRows", method: "post", path: `${SPACE}/claims`, tag },
  summary: "Claim rows to work on",
  description:
    "An `Idempotency-Key` names the claim as `id` does: asked again while its rows are held, it is answered with them.",
  headers: { "Idempotency-Key": "The claim's id, when the body has none." },
  body: sharedClaimBody,
  answers: { 200: "SharedHeldRows" },
  errors: ["BAD_REQUEST", "NOT_FOUND", "RATE_LIMITED"],
}

export const listSharedRows: Asking<SharedRowsQuery> = {
  ...{ id: "listSharedRows", method: "get", path: `${SPACE}/{collection}`, tag },
  summary: "The rows of a collection of a space, now or at an offset of its log",
  query: sharedRowsQuery,
  answers: { 200: "SharedPage" },
  errors: ["BAD_REQUEST", "NOT_FOUND", "BAD_OFFSET", "GONE", "TOO_LARGE"],
}

export const getSharedRow: Operation = {
  ...{ id: "getSharedRow", method: "get", path: `${SPACE}/{collection}/{key}`, tag },
  summary: "A row of a space",
  answers: { 200: "SharedRow" },
  errors: ["BAD_REQUEST", "NOT_FOUND"],
}

export const writeSharedRows: Taking<SharedOpsBody> = {
  ...{ id: "writeSharedRows", method: "post", path: `${SPACE}/{collection}`, tag, once: true },
  summary: "Change rows of a space, all of it or nothing",
  body: sharedOpsBody,
  answers: { 200: "SharedWritten" },
  errors: ["BAD_REQUEST", "NOT_FOUND", "ALREADY_EXISTS", "ALREADY_CLAIMED", "CLAIM_LOST", "RATE_LIMITED"],
}
