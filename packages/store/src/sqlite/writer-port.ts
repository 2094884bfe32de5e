import type { EncodedCommit } from "../core/encoded.ts"
import { failureOf } from "./engine.ts"
import type { Engine, Failure, Outcome } from "./engine.ts"

/** What a store asks of its writer: plain data, because the writer may be in another thread. */
export type WriterRequest =
  | { readonly kind: "commit"; readonly group: readonly EncodedCommit[] }
  | { readonly kind: "sweep"; readonly nowMs: number }
  | { readonly kind: "check" }

export type WriterReply =
  | { readonly kind: "committed"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "swept"; readonly count: number; readonly streams: readonly string[] }
  | { readonly kind: "checked" }
  | { readonly kind: "failed"; readonly failure: Failure }

/** Answers requests in the order they were made. */
export interface Writer {
  request(request: WriterRequest): Promise<WriterReply>
}

/** Carries out one request. Never throws: what goes wrong is a reply. */
export function perform(engine: Engine, request: WriterRequest, where: string): WriterReply {
  try {
    switch (request.kind) {
      case "commit":
        return { kind: "committed", outcomes: engine.commit(request.group) }
      case "sweep":
        return { kind: "swept", ...engine.sweep(request.nowMs) }
      case "check":
        engine.check()
        return { kind: "checked" }
    }
  } catch (error) {
    return { kind: "failed", failure: failureOf(error, where) }
  }
}

/** A writer in this thread: each request is done at once. */
export class InlineWriter implements Writer {
  readonly #engine: Engine
  readonly #where: string

  constructor(engine: Engine, where: string) {
    this.#engine = engine
    this.#where = where
  }

  request(request: WriterRequest): Promise<WriterReply> {
    return Promise.resolve(perform(this.#engine, request, this.#where))
  }
}
