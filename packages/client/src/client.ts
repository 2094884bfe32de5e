import type { KeyList, LogPage, ServerInfo, TypeInfo } from "@rouse/protocol"
import { attachments, upload, withFiles } from "./attachments.ts"
import type { Client } from "./client-type.ts"
import { entityPath, queryString } from "./core/address.ts"
import { handlers } from "./handlers.ts"
import { history } from "./history.ts"
import { list, listAll, watch } from "./lists.ts"
import type { ObserveOptions } from "./log.ts"
import { observe, observeAll } from "./log.ts"
import { ask, send } from "./messages.ts"
import { operators } from "./operators.ts"
import type { ClientOptions, WriteOptions } from "./options.ts"
import { people } from "./people.ts"
import { streamReply } from "./reply-stream.ts"
import { sharedSpaces } from "./shared.ts"
import { spawning } from "./spawn.ts"
import { steering } from "./steering.ts"
import type { Call } from "./transport.ts"
import { createTransport } from "./transport.ts"
import { rememberTransport } from "./transports.ts"
import type { ClientOf } from "./typed.ts"
import { webhooks } from "./webhooks.ts"

/**
 * A client of a Rouse server, for Node, browsers and every other runtime with `fetch`.
 *
 * Holds no connection of its own: nothing needs to be closed. Given the type of a module that exports definitions, it knows what their
 * agents are spawned with, may be sent, and keep.
 *
 * @throws {RouseError} `BAD_REQUEST` when `url` is not an HTTP address.
 * @example
 * const client = createClient({ url: "http://127.0.0.1:4437" })
 * await client.spawn("/assistant/one")
 * const { reply } = await client.ask("/assistant/one", "Hello")
 * @example
 * import type * as app from "./app.ts"
 * const client = createClient<typeof app>({ url: "http://127.0.0.1:4437" })
 * @see DESIGN §6
 */
export function createClient<App extends object | undefined = undefined>(options: ClientOptions): ClientOf<App> {
  const transport = createTransport(options)
  const { json } = transport
  const write = (call: Call, { idempotencyKey, signal }: WriteOptions = {}): Call => ({
    method: "POST",
    key: idempotencyKey ?? transport.newKey(),
    signal,
    ...call,
  })
  const client: Client = {
    url: transport.url,
    info: (o) => json<ServerInfo>({ path: "/v1/info", signal: o?.signal }),
    types: async (o) => (await json<{ types: TypeInfo[] }>({ path: "/v1/types", signal: o?.signal })).types,
    ...spawning(transport, write),
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
    ...steering(transport, write),
    ...operators(transport, write),
    ...history(transport, write),
    ...people(transport, write),
    ...handlers(transport, write),
    ...sharedSpaces(transport, write),
    ...webhooks(transport, write),
  }
  rememberTransport(client, transport)
  return client as ClientOf<App>
}
