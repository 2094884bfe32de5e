import type { ApprovalPage, ApprovalQuery, EntityUrl, Json, WaitingApproval } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

/** What waits for people. */
export interface People {
  /** Approvals and questions that wait, of all entities, those that have waited longest first. */
  approvals(
    query?: Omit<ApprovalQuery, "after" | "limit">,
    options?: CallOptions,
  ): AsyncIterableIterator<WaitingApproval>
  /**
   * Answers a question that an agent asked. `call` is the approval's key.
   *
   * @throws {RouseError} `INVALID_ARGS` when the answer does not match the question's schema; `FORBIDDEN` when it is for others.
   */
  answer(
    url: EntityUrl,
    call: string,
    answer: Json,
    options?: WriteOptions & { readonly note?: string | undefined },
  ): Promise<void>
}

export function people(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): People {
  return {
    approvals: (query = {}, o = {}) => waiting(transport, query, o),
    answer: async (url, call, answer, o = {}) => {
      const body = { answer, ...(o.note === undefined ? {} : { note: o.note }) }
      return transport.json<void>(write({ path: entityPath(url, "approvals", call), body }, o))
    },
  }
}

async function* waiting(
  transport: Transport,
  query: ApprovalQuery,
  { signal }: CallOptions,
): AsyncGenerator<WaitingApproval> {
  let after: string | undefined
  do {
    const path = `/v1/approvals${queryString({ ...query, after })}`
    const page = await transport.json<ApprovalPage>({ path, signal })
    yield* page.approvals
    after = page.next
  } while (after !== undefined)
}
