import type {
  EntityDetail,
  EntityUrl,
  KeyInfo,
  LogPage,
  LogPageQuery,
  Offset,
  Row,
  ServerInfo,
  TypeInfo,
} from "@rouse/protocol"
import type { Attachments } from "./attachments.ts"
import type { Handlers } from "./handlers.ts"
import type { History } from "./history.ts"
import type { Lists } from "./lists.ts"
import type { Logs } from "./log.ts"
import type { Messages } from "./messages.ts"
import type { Operators } from "./operators.ts"
import type { CallOptions } from "./options.ts"
import type { People } from "./people.ts"
import type { SharedSpaces } from "./shared.ts"
import type { Spawning } from "./spawn.ts"
import type { Steering } from "./steering.ts"
import type { Webhooks } from "./webhooks.ts"

export interface StateOptions extends CallOptions {
  /** An offset of the log: the rows as they were there. */
  readonly at?: Offset | undefined
  /** Together with `at`: in the order in which they came about, so that a timeline can be made of them. */
  readonly ordered?: boolean | undefined
}

export interface StateRows {
  readonly offset: Offset
  readonly rows: readonly Row[]
}

/**
 * Talks to a Rouse server. An entity is named by its address, `/type/id`.
 *
 * Every method throws a `RouseError` whose `code` is the problem's, and `INTERNAL` for what it does not know. Requests that fail for a
 * passing reason are tried again a few times; no call is done twice, since each carries an idempotency key.
 */
export interface Client
  extends
    Spawning,
    Messages,
    Attachments,
    Lists,
    Logs,
    Steering,
    Operators,
    People,
    History,
    Handlers,
    SharedSpaces,
    Webhooks {
  /** The server's base, without a trailing slash. */
  readonly url: string

  /** The server's version, and the types it knows. */
  info(options?: CallOptions): Promise<ServerInfo>
  types(options?: CallOptions): Promise<readonly TypeInfo[]>

  /** @throws {RouseError} `UNKNOWN_ENTITY` */
  get(url: EntityUrl, options?: CallOptions): Promise<EntityDetail>
  /** The entity's rows, of all collections or of one: now, or as they were at an offset of its log. */
  state(url: EntityUrl, collection?: string, options?: StateOptions): Promise<StateRows>
  /** A part of the entity's log read from its end, each commit with the offset behind it. @throws {RouseError} `BAD_OFFSET`; `GONE`. */
  log(url: EntityUrl, options?: CallOptions & LogPageQuery): Promise<LogPage>
  /** The tokens that may come in, by name. @throws {RouseError} `FORBIDDEN` below scope `admin`. */
  keys(options?: CallOptions): Promise<readonly KeyInfo[]>
}
