import type { ErrorCode } from "@rouse/protocol"
import type { Operation } from "./operations/operation.ts"

/** Whatever is asked. */
const ALWAYS: readonly ErrorCode[] = [
  "INTERNAL",
  "STORE_DAMAGED",
  "OVERLOADED",
  "SHUTTING_DOWN",
  "STORE_UNAVAILABLE",
  "STORE_LOCKED",
  "BUCKET_UNAVAILABLE",
  "BUCKET_DAMAGED",
  "STORE_MOVED",
]

/** Every code that an operation may be refused with: those of its kind, and its own. */
export function refusalsOf(operation: Operation): readonly ErrorCode[] {
  const { method, path, proof = "token", body, query, once, upload, errors = [] } = operation
  const isWrite = method !== "get" && method !== "head"
  const codes: readonly (readonly [boolean, readonly ErrorCode[]])[] = [
    [proof === "token", ["UNAUTHENTICATED", "FORBIDDEN"]],
    [proof === "claim", ["UNAUTHENTICATED", "FENCED"]],
    [body !== undefined, ["BAD_JSON", "TOO_LARGE", "INVALID_ARGS"]],
    [upload !== undefined, ["TOO_LARGE", "INVALID_ARGS"]],
    [query !== undefined, ["BAD_REQUEST", "INVALID_ARGS"]],
    [once === true, ["BAD_REQUEST", "IDEMPOTENCY_MISMATCH"]],
    [path.includes("{type}/{id}"), ["BAD_REQUEST", "UNKNOWN_ENTITY"]],
    [isWrite && proof !== "none", ["CONFLICT"]],
    [true, [...ALWAYS, ...errors]],
  ]
  return [...new Set(codes.flatMap(([holds, some]) => (holds ? some : [])))]
}
