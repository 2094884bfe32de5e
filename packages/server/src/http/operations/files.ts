import type { Asking, Operation } from "./operation.ts"
import { pageQuery, type PageQuery, uploadQuery, type UploadQuery } from "./query.ts"

const FILES = "/v1/entities/{type}/{id}/attachments"
const tag = "files"

export const listAttachments: Asking<PageQuery> = {
  ...{ id: "listAttachments", method: "get", path: FILES, tag },
  summary: "The files of an agent",
  query: pageQuery,
  answers: { 200: "AttachmentPage" },
}

export const putAttachment: Asking<UploadQuery> = {
  ...{ id: "putAttachment", method: "post", path: FILES, tag },
  summary: "Give an agent a file: its bytes, streamed",
  description: "The same bytes again change nothing. A message then names the file by its id.",
  query: uploadQuery,
  upload: "*/*",
  headers: {
    "Content-Disposition": "Its name, as `filename` or `filename*`.",
    "Repr-Digest": "`sha-256=:…:`, checked before anything is kept.",
  },
  answers: { 201: "AttachmentInfo" },
  answerHeaders: { 201: { Location: "The file's address in this API." } },
  errors: ["UNSUPPORTED_MEDIA_TYPE", "TOO_LARGE", "DIGEST_MISMATCH", "STOPPED"],
}

export const getAttachment: Operation = {
  ...{ id: "getAttachment", method: "get", path: `${FILES}/{attachment}`, tag },
  summary: "A file's bytes, or a part of them",
  headers: {
    Range: "One range of bytes.",
    "If-None-Match": "An `ETag`: 304 when it is that.",
    "If-Range": "An `ETag`: all of it when it is another.",
  },
  answers: { 200: { "*/*": "bytes" }, 206: { "*/*": "bytes" }, 304: null },
  answerHeaders: {
    200: { ETag: "The SHA-256 of the bytes, in hex." },
    206: { "Content-Range": "Which bytes these are." },
  },
  errors: ["NOT_FOUND", "RANGE_NOT_SATISFIABLE"],
}

export const deleteAttachment: Operation = {
  ...{ id: "deleteAttachment", method: "delete", path: `${FILES}/{attachment}`, tag },
  summary: "Delete a file",
  answers: { 204: null },
  errors: ["NOT_FOUND"],
}
