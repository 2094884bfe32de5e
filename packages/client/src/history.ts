import type { EntityUrl, ForkBody, Forked, Imported } from "@rouse/protocol"
import { entityPath, queryString } from "./core/address.ts"
import type { Call, Transport } from "./transport.ts"
import { definedOnly } from "./core/defined.ts"
import type { CallOptions, WriteOptions } from "./options.ts"

export interface ExportOptions extends CallOptions {
  readonly tree?: boolean | undefined
}

export interface ImportOptions extends CallOptions {
  /** The root's new address; of a shared space `shared/` and its id. */
  readonly as?: string | undefined
  /** What was under way goes on at once; it is paused otherwise. */
  readonly run?: boolean | undefined
}

/** What is made of an entity's history: docs/fork.md. */
export interface History {
  /**
   * Makes an entity of another's history, up to an offset of its log or to its end; with `tree` of all below it too. The two go on apart.
   *
   * @throws {RouseError} `UNKNOWN_ENTITY`; `BAD_OFFSET`; `ALREADY_EXISTS` when the id is taken.
   * @example
   * const { entity } = await client.fork("/support/one", { at: offset, message: "Try again, more politely" })
   */
  fork(url: EntityUrl, options?: ForkBody, write?: WriteOptions): Promise<Forked>
  /**
   * The agent, with `tree` all below it too, as a bundle: lines of JSON, as they come.
   *
   * @throws {RouseError} `UNKNOWN_ENTITY`; `OVERLOADED` when the tree did not hold still.
   */
  export(url: EntityUrl, options?: ExportOptions): Promise<ReadableStream<Uint8Array>>
  /**
   * Makes the agents of a bundle, or the shared space: all or none.
   *
   * @throws {RouseError} `BAD_REQUEST` when it is damaged; `ALREADY_EXISTS`; `UNKNOWN_TYPE`.
   */
  import(
    bundle: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | string,
    options?: ImportOptions,
  ): Promise<Imported>
}

/** What is made of an entity's history. */
export function history(transport: Transport, write: (call: Call, options?: WriteOptions) => Call): History {
  return {
    export: async (url, { tree = false, signal } = {}) => {
      const path = entityPath(url, "export") + queryString({ tree: tree ? true : undefined })
      const { body } = await transport.open({ path, accept: "application/x-ndjson", signal })
      return body ?? new Blob([]).stream()
    },
    import: async (bundle, { as, run, ...o } = {}) => {
      const path = `/v1/import${queryString({ as, run: run === true ? true : undefined })}`
      return transport.json<Imported>({ method: "POST", path, bytes: bundle, mediaType: "application/x-ndjson", ...o })
    },
    fork: async (url, body = {}, o) =>
      transport.json<Forked>(write({ path: entityPath(url, "fork"), body: definedOnly({ ...body }) }, o)),
  }
}
