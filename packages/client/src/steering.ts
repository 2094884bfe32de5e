import type { BudgetExtension, EntityDetail, EntityUrl, Json, UsageQuery, UsageReport } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import { definedOnly } from "./core/defined.ts"
import type { CallOptions, WriteOptions } from "./options.ts"
import type { Call, Transport } from "./transport.ts"

export interface ApproveOptions extends WriteOptions {
  /** What is added to a budget that is used up. As much again as it began with when absent. */
  readonly extend?: BudgetExtension | undefined
  /** The input that is to run instead of the model's. It must match the tool's schema. */
  readonly input?: Json | undefined
}

/** What is done to an entity beside its inbox. */
export interface Steering {
  /** `interrupt`, `pause`, `resume`, `kill`, or a name of your own that the handler is told. */
  signal(url: EntityUrl, name: string, payload?: Json, options?: WriteOptions): Promise<void>
  /** Decides a tool call that waits for a person, or a budget that is used up. `call` is the approval's key. */
  approve(
    url: EntityUrl,
    call: string,
    decision: "allow" | "deny",
    note?: string,
    options?: ApproveOptions,
  ): Promise<void>
  /** What model calls used and cost, by type when the query does not say. */
  usage(query?: UsageQuery, options?: CallOptions): Promise<UsageReport>
  /** Sets tags; null removes one. */
  tag(url: EntityUrl, tags: Readonly<Record<string, string | null>>, options?: WriteOptions): Promise<EntityDetail>
  /** Stops the entity for good (the signal `kill`). To abort only the run under way, signal `interrupt`. */
  stop(url: EntityUrl, options?: WriteOptions): Promise<void>
  /**
   * Deletes the entity: it is stopped for good, and its log stays readable unless `purge`. With `shared` its purge takes the rows with it that
   * it inserted into shared spaces.
   */
  delete(
    url: EntityUrl,
    options?: WriteOptions & { readonly purge?: boolean | undefined; readonly shared?: boolean | undefined },
  ): Promise<void>
}

export function steering(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): Steering {
  const { json } = transport
  const post = async (url: string, below: readonly string[], body: object, o?: WriteOptions): Promise<void> =>
    json<void>(write({ path: entityPath(url, ...below), body }, o))
  const signal: Steering["signal"] = (url, name, payload, o) =>
    post(url, ["signals"], { signal: name, ...(payload !== undefined && { payload }) }, o)
  return {
    signal,
    approve: (url, call, decision, note, o) =>
      post(url, ["approvals", call], definedOnly({ decision, note, extend: o?.extend, input: o?.input }), o),
    usage: async (query = {}, o) =>
      json<UsageReport>({ path: `/v1/usage${queryString({ ...query })}`, signal: o?.signal }),
    tag: async (url, tags, o) => json<EntityDetail>(write({ path: entityPath(url, "tags"), body: { tags } }, o)),
    stop: (url, o) => signal(url, "kill", undefined, o),
    delete: async (url, o = {}) => {
      const path =
        entityPath(url) + queryString({ purge: o.purge === true || undefined, shared: o.shared === true || undefined })
      return json<void>(write({ method: "DELETE", path }, o))
    },
  }
}
