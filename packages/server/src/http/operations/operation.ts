import type { ErrorCode } from "@rouse/protocol"
import type { z } from "zod"
import type { AnswerName } from "../answers/names.ts"

/** The parts of the API, as its document groups them. */
export type OperationTag =
  | "entities"
  | "files"
  | "operators"
  | "shared"
  | "tool workers"
  | "types"
  | "handlers"
  | "webhooks"
  | "streams"
  | "openai"
  | "a2a"
  | "server"

/** What proves who asks: a token of the server's, the claim of a wake, what the streams or a sender of webhooks signed; `none`: nothing. */
export type Proof = "token" | "claim" | "signature" | "none"

/** What an answer's body is: a named shape as JSON, or a shape by media type, where `bytes` and `events` are no JSON. */
export type AnswerBody = AnswerName | Readonly<Record<string, AnswerName | "bytes" | "events">> | null

/**
 * One operation of the HTTP API: what its route is mounted by, what checks its requests, and what `/v1/openapi.json` says of it.
 *
 * What every operation has in common, such as the answers to a request without a token, is added where the document is made.
 */
export interface Operation {
  /** Its name, for ever: clients are generated from it. */
  readonly id: string
  readonly method: "get" | "head" | "put" | "post" | "delete"
  /** With its parameters in braces. */
  readonly path: string
  readonly tag: OperationTag
  readonly summary: string
  readonly description?: string
  /** `token` when absent. */
  readonly proof?: Proof
  /** Whether an `Idempotency-Key` is honoured. */
  readonly once?: true
  /** What of the query is understood. All else is refused. */
  readonly query?: z.ZodType
  readonly body?: z.ZodType
  /** The body is no JSON but of this media type. */
  readonly upload?: string
  /** Request headers of its own, and what they are for. */
  readonly headers?: Readonly<Record<string, string>>
  readonly answers: Readonly<Record<number, AnswerBody>>
  /** Response headers of its own, by status. */
  readonly answerHeaders?: Readonly<Record<number, Readonly<Record<string, string>>>>
  /** Refusals beyond those of its kind. */
  readonly errors?: readonly ErrorCode[]
  /** A further specification that the operation follows. */
  readonly seeAlso?: string
}

/** An operation whose body is JSON of this type. */
export type Taking<T> = Operation & { readonly body: z.ZodType<T> }

/** An operation whose query is of this type. */
export type Asking<T> = Operation & { readonly query: z.ZodType<T> }
