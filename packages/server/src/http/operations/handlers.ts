import {
  type ClaimEnd,
  type ClaimsBody,
  type DeployBody,
  type HandlerCommit,
  KEYS_PATH,
  type RenewBody,
  type Routing,
  type SharedRequest,
  type TypeBody,
} from "@rouse/protocol"
import {
  claimEnd,
  claimsBody,
  deployBody,
  handlerCommit,
  renewBody,
  routing,
  typeBody,
} from "@rouse/protocol/dispatch-schemas"
import { sharedRequest } from "@rouse/protocol/schemas"
import type { Asking, Operation, Taking } from "./operation.ts"
import { claimUploadQuery, type ClaimUploadQuery } from "./query.ts"

const TYPE = "/v1/types/{name}"
const FILES = "/v1/claims/attachments"
const tag = "handlers"

export const listTypes: Operation = {
  ...{ id: "listTypes", method: "get", path: "/v1/types", tag: "types" },
  summary: "The entity types",
  answers: { 200: "TypeList" },
}

export const deployTypes: Taking<DeployBody> = {
  ...{ id: "deployTypes", method: "post", path: "/v1/types", tag: "types" },
  summary: "Register every type that a handler at an address says it has",
  body: deployBody,
  answers: { 200: "TypeList" },
  errors: ["BAD_REQUEST", "WEBHOOK_URL_REJECTED", "ALREADY_EXISTS", "HANDLER_UNREACHABLE", "HANDLER_FAILED"],
}

export const getType: Operation = {
  ...{ id: "getType", method: "get", path: TYPE, tag: "types" },
  summary: "An entity type, its versions and their health",
  answers: { 200: "TypeInfo" },
  errors: ["UNKNOWN_TYPE"],
}

export const registerType: Taking<TypeBody> = {
  ...{ id: "registerType", method: "put", path: TYPE, tag: "types" },
  summary: "Register a version of a type, and how its wakes reach its handler",
  body: typeBody,
  answers: { 200: "TypeInfo" },
  errors: ["BAD_REQUEST", "WEBHOOK_URL_REJECTED", "ALREADY_EXISTS"],
}

export const routeType: Taking<Routing> = {
  ...{ id: "routeType", method: "put", path: `${TYPE}/routing`, tag: "types" },
  summary: "Say which version begins runs: the latest, a pinned one, or a canary",
  body: routing,
  answers: { 200: "TypeInfo" },
  errors: ["BAD_REQUEST", "UNKNOWN_TYPE", "UNKNOWN_VERSION"],
}

export const deleteType: Operation = {
  ...{ id: "deleteType", method: "delete", path: TYPE, tag: "types" },
  summary: "Remove a type: its agents are suspended until it is there again",
  answers: { 204: null },
  errors: ["BAD_REQUEST", "UNKNOWN_TYPE"],
}

export const deleteVersion: Operation = {
  ...{ id: "deleteVersion", method: "delete", path: `${TYPE}/versions/{version}`, tag: "types" },
  summary: "Remove a version of a type",
  answers: { 204: null },
  errors: ["BAD_REQUEST", "UNKNOWN_TYPE", "UNKNOWN_VERSION"],
}

export const getKeys: Operation = {
  ...{ id: "getKeys", method: "get", path: KEYS_PATH, tag, proof: "none" },
  summary: "The keys that wakes are signed with",
  answers: { 200: "KeySet" },
  seeAlso: "https://www.rfc-editor.org/rfc/rfc7517",
}

export const claimWakes: Taking<ClaimsBody> = {
  ...{ id: "claimWakes", method: "post", path: "/v1/claims", tag },
  summary: "Take wakes to handle",
  description:
    "Waits up to `waitMs` for the first. Each comes with a claim, which is the bearer token of what the handler does in it.",
  body: claimsBody,
  answers: { 200: "ClaimsReply" },
}

export const commitWake: Taking<HandlerCommit> = {
  ...{ id: "commitWake", method: "post", path: "/v1/commits", tag, proof: "claim" },
  summary: "Commit under a claim",
  description: "A repeated `seq` is acknowledged and not applied again.",
  body: handlerCommit,
  answers: { 200: "CommitReply" },
  errors: [
    "BAD_REQUEST",
    "UNKNOWN_TYPE",
    "UNKNOWN_ENTITY",
    "NOT_FOUND",
    "STOPPED",
    "ALREADY_EXISTS",
    "BUDGET_EXHAUSTED",
    "GONE",
    "BAD_OFFSET",
    "ALREADY_CLAIMED",
    "CLAIM_LOST",
    "RATE_LIMITED",
    "INTERRUPTED",
  ],
}

export const renewClaim: Taking<RenewBody> = {
  ...{ id: "renewClaim", method: "post", path: "/v1/claims/renew", tag, proof: "claim" },
  summary: "Keep a claim, and hear of an interruption",
  body: renewBody,
  answers: { 200: "RenewReply" },
}

export const endClaim: Taking<ClaimEnd> = {
  ...{ id: "endClaim", method: "post", path: "/v1/claims/end", tag, proof: "claim" },
  summary: "Say that a wake failed, or give it back",
  body: claimEnd,
  answers: { 204: null },
}

export const askShared: Taking<SharedRequest> = {
  ...{ id: "askShared", method: "post", path: "/v1/claims/shared", tag, proof: "claim" },
  summary: "Define, read or claim rows of a shared space under a claim",
  body: sharedRequest,
  answers: { 200: "SharedAnswer" },
  errors: ["BAD_REQUEST", "NOT_FOUND", "ALREADY_EXISTS", "UNKNOWN_ENTITY", "ALREADY_CLAIMED", "RATE_LIMITED"],
}

export const listClaimAttachments: Operation = {
  ...{ id: "listClaimAttachments", method: "get", path: FILES, tag, proof: "claim" },
  summary: "The files of the claim's agent",
  answers: { 200: "AttachmentPage" },
}

export const putClaimAttachment: Asking<ClaimUploadQuery> = {
  ...{ id: "putClaimAttachment", method: "post", path: FILES, tag, proof: "claim" },
  summary: "Give the claim's agent a file",
  query: claimUploadQuery,
  upload: "*/*",
  answers: { 201: "AttachmentInfo" },
  errors: ["BAD_REQUEST", "UNKNOWN_ENTITY", "TOO_LARGE", "STOPPED"],
}

export const getClaimAttachmentInfo: Operation = {
  ...{ id: "getClaimAttachmentInfo", method: "get", path: `${FILES}/{attachment}/info`, tag, proof: "claim" },
  summary: "What is known of a file of the claim's agent",
  answers: { 200: "AttachmentInfo" },
  errors: ["NOT_FOUND"],
}

export const getClaimAttachment: Operation = {
  ...{ id: "getClaimAttachment", method: "get", path: `${FILES}/{attachment}`, tag, proof: "claim" },
  summary: "A file of the claim's agent, or a part of it",
  headers: { Range: "One range of bytes." },
  answers: { 200: { "*/*": "bytes" }, 206: { "*/*": "bytes" } },
  answerHeaders: { 206: { "Content-Range": "Which bytes these are." } },
  errors: ["BAD_REQUEST", "NOT_FOUND", "RANGE_NOT_SATISFIABLE"],
}
