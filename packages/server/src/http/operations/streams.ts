import type { Operation } from "./operation.ts"

const STREAM = "/v1/stream/{path}"
const tag = "streams"
const seeAlso = "https://github.com/durable-streams/durable-streams/blob/main/PROTOCOL.md"
const OFFSETS = { "Stream-Next-Offset": "Where to go on." }

/** What a path of several segments looks like here, and where the rest of the protocol is. */
export const STREAM_NOTE =
  "The Durable Streams Protocol, whole: its specification says what each header means. `path` has as many segments as its stream: an agent's log is at `entities/{type}/{id}`, a shared space's at `shared/{id}`. Subscriptions are under `__ds/subscriptions/{id}`."

export const readStream: Operation = {
  ...{ id: "readStream", method: "get", path: STREAM, tag, seeAlso },
  summary: "Read a stream from an offset, also live (`live=long-poll` or `live=sse`)",
  answers: { 200: { "*/*": "bytes", "text/event-stream": "events" }, 204: null, 304: null },
  answerHeaders: { 200: OFFSETS, 204: OFFSETS },
  errors: ["BAD_REQUEST", "BAD_OFFSET", "UNKNOWN_STREAM", "GONE", "RATE_LIMITED"],
}

export const describeStream: Operation = {
  ...{ id: "describeStream", method: "head", path: STREAM, tag, seeAlso },
  summary: "A stream's content type and end",
  answers: { 200: null },
  answerHeaders: { 200: OFFSETS },
  errors: ["BAD_REQUEST", "UNKNOWN_STREAM", "GONE"],
}

export const createStream: Operation = {
  ...{ id: "createStream", method: "put", path: STREAM, tag, seeAlso },
  summary: "Make a stream, or a fork of one",
  upload: "*/*",
  answers: { 200: null, 201: null },
  answerHeaders: { 200: OFFSETS, 201: OFFSETS },
  errors: ["BAD_REQUEST", "METHOD_NOT_ALLOWED", "ALREADY_EXISTS", "CONTENT_TYPE_MISMATCH", "FORK_SOURCE_GONE", "GONE"],
}

export const appendToStream: Operation = {
  ...{ id: "appendToStream", method: "post", path: STREAM, tag, seeAlso },
  summary: "Append to a stream, or close it",
  upload: "*/*",
  answers: { 200: null, 204: null },
  answerHeaders: { 200: OFFSETS, 204: OFFSETS },
  errors: [
    "BAD_REQUEST",
    "BAD_JSON",
    "METHOD_NOT_ALLOWED",
    "UNKNOWN_STREAM",
    "STREAM_CLOSED",
    "CONTENT_TYPE_MISMATCH",
    "SEQUENCE_REGRESSION",
    "SEQUENCE_GAP",
    "STALE_PRODUCER",
    "RATE_LIMITED",
    "GONE",
    "TOO_LARGE",
  ],
}

export const deleteStream: Operation = {
  ...{ id: "deleteStream", method: "delete", path: STREAM, tag, seeAlso },
  summary: "Delete a stream",
  answers: { 204: null },
  errors: ["BAD_REQUEST", "METHOD_NOT_ALLOWED", "UNKNOWN_STREAM", "GONE"],
}
