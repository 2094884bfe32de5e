import type { EntityDetail, KeyList, LogPage, ServerInfo, SpawnBody, TypeInfo, UsageReport } from "@rouse/protocol"
import { attachments, upload, withFiles } from "./attachments.ts"
import { entityPath, queryString, spawnAddress } from "./core/address.ts"
import { durationMs } from "./core/duration.ts"
import { handlers } from "./handlers.ts"
import { history } from "./history.ts"
import { list, listAll, watch } from "./lists.ts"
import { observe, observeAll } from "./log.ts"
import { ask, send } from "./messages.ts"
import { operators } from "./operators.ts"
import { people } from "./people.ts"
import { sharedSpaces } from "./shared.ts"
import { webhooks } from "./webhooks.ts"
import { streamReply } from "./reply-stream.ts"
import type { Call, Transport } from "./transport.ts"
import { createTransport } from "./transport.ts"
import { rememberTransport } from "./transports.ts"
import type {
  CallOptions,
  Client,
  ClientOptions,
  ObserveOptions,
  SpawnInput,
  SpawnOptions,
  SpawnReply,
  WriteOptions,
} from "./types.ts"

/**
 * A client of a Rouse server, for Node, browsers and every other runtime with `fetch`.
 *
 * Holds no connection of its own: nothing needs to be closed.
 *
 * @throws {RouseError} `BAD_REQUEST` when `url` is not an HTTP address.
 * @example
 * const client = createClient({ url: "http://127.0.0.1:4437" })
 * await client.spawn("/assistant/one")
 * const { reply } = await client.ask("/assistant/one", "Hello")
 * @see DESIGN §6
 */
export function createClient(options: ClientOptions): Client {
  const transport = createTransport(options)
  const { json } = transport
  const write = (call: Call, { idempotencyKey, signal }: WriteOptions = {}): Call => ({
    method: "POST",
    key: idempotencyKey ?? transport.newKey(),
    signal,
    ...call,
  })
  const post = async (url: string, below: readonly string[], body: object, o?: WriteOptions): Promise<void> =>
    json<void>(write({ path: entityPath(url, ...below), body }, o))

  const client: Client = {
    url: transport.url,
    info: (o) => json<ServerInfo>({ path: "/v1/info", signal: o?.signal }),
    types: async (o) => (await json<{ types: TypeInfo[] }>({ path: "/v1/types", signal: o?.signal })).types,
    spawn: async (...args: readonly unknown[]) => spawn(transport, write, spawnArguments(args)),
    send: async (url, content, o = {}) => send(transport, url, content, await withFiles(transport, url, o)),
    ask: async (url, content, o = {}) => ask(transport, url, content, await withFiles(transport, url, o)),
    stream: (url, content, o = {}) => streamReply(transport, url, content, o),
    upload: async (url, content, o = {}) => upload(transport, url, content, o),
    attachments: async (url, o) => attachments(transport, url, o),
    attachment: async (url, id, o) =>
      transport.open({ path: entityPath(url, "attachments", id), accept: "*/*", signal: o?.signal }),
    deleteAttachment: async (url, id, o) =>
      json<void>(write({ method: "DELETE", path: entityPath(url, "attachments", id) }, o)),
    list: (query = {}, o = {}) => list(transport, query, o),
    listAll: (query = {}, o = {}) => listAll(transport, query, o),
    watch: (query = {}, o = {}) => watch(transport, query, o),
    get: async (url, o) => json({ path: entityPath(url), signal: o?.signal }),
    state: async (url, collection, o) => {
      const below = collection === undefined ? ["state"] : ["state", collection]
      const path = entityPath(url, ...below) + queryString({ at: o?.at, ordered: o?.ordered })
      return json({ path, signal: o?.signal })
    },
    log: async (url, { signal, ...query } = {}) =>
      json<LogPage>({ path: entityPath(url, "log") + queryString(query), signal }),
    keys: async (o) => (await json<KeyList>({ path: "/v1/keys", signal: o?.signal })).keys,
    observe: ((url: string, o?: ObserveOptions) =>
      o?.snapshot === true ? observeAll(transport, url, o) : observe(transport, url, o ?? {})) as Client["observe"],
    signal: (url, name, payload, o) =>
      post(url, ["signals"], { signal: name, ...(payload !== undefined && { payload }) }, o),
    approve: (url, call, decision, note, o) =>
      post(url, ["approvals", call], definedOnly({ decision, note, extend: o?.extend, input: o?.input }), o),
    usage: async (query = {}, o) =>
      json<UsageReport>({ path: `/v1/usage${queryString({ ...query })}`, signal: o?.signal }),
    ...operators(transport, write),
    ...history(transport, write),
    ...people(transport, write),
    ...handlers(transport, write),
    ...sharedSpaces(transport, write),
    ...webhooks(transport, write),
    tag: async (url, tags, o) => json<EntityDetail>(write({ path: entityPath(url, "tags"), body: { tags } }, o)),
    stop: (url, o) => client.signal(url, "kill", undefined, o),
    delete: async (url, o = {}) => {
      const path = entityPath(url) + queryString({ purge: o.purge === true ? true : undefined })
      return json<void>(write({ method: "DELETE", path }, o))
    },
  }
  rememberTransport(client, transport)
  return client
}

interface SpawnArguments {
  readonly target: string
  readonly id: string | undefined
  readonly input: SpawnInput
  readonly options: SpawnOptions
}

/** `(target, input, options)` or `(type, id, input, options)`. */
function spawnArguments([target, second, ...rest]: readonly unknown[]): SpawnArguments {
  const named = typeof second === "string" || (second === undefined && rest.length > 0)
  const [input = {}, options = {}] = named ? rest : [second, ...rest]
  return {
    target: target as string,
    id: typeof second === "string" ? second : undefined,
    input: input as SpawnInput,
    options: options as SpawnOptions,
  }
}

async function spawn(
  transport: Transport,
  write: (call: Call, options?: CallOptions) => Call,
  { target, id, input, options }: SpawnArguments,
): Promise<SpawnReply> {
  const url = spawnAddress(target, () => id ?? transport.newKey())
  const wait = options.wait === undefined ? undefined : `${durationMs(options.wait, "wait")}ms`
  const { args, tags, message, parent, budget } = input
  const body: SpawnBody = definedOnly({ args, tags, message, parent, budget })
  return transport.json(write({ method: "PUT", path: entityPath(url) + queryString({ wait }), body }, options))
}

function definedOnly(fields: Readonly<Record<string, unknown>>): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
