import type {
  BuiltInCollection,
  BuiltInRows,
  EntityDetail,
  EntityPage,
  EntityQuery,
  EntityShape,
  EntitySummary,
  Json,
  Offset,
  Receipt,
  Settled,
} from "@rouse/protocol"
import type { Client } from "./client-type.ts"
import type { WatchEvent } from "./lists.ts"
import type { AskOptions, DelayedSendOptions, SendOptions, StreamEvent } from "./messages.ts"
import type { CallOptions, WatchOptions } from "./options.ts"
import type { SharedClient } from "./shared.ts"
import type { SpawnInput, SpawnOptions, SpawnReply } from "./spawn.ts"

/**
 * A client that knows an app: the definitions that a module exports. Addresses are those of its types, and what is sent, spawned and read is
 * what their schemas say. At run time it is the same client.
 */
export interface TypedClient<App> extends Omit<Client, TypedMethod> {
  spawn<T extends AddressOf<App> | TypeOf<App>>(target: T, ...rest: SpawnRest<App, T>): Promise<SpawnReplyOf<App, T>>
  spawn<T extends TypeOf<App>>(
    type: T,
    id: string | undefined,
    ...rest: SpawnRest<App, T>
  ): Promise<SpawnReplyOf<App, T>>
  send<U extends AddressOf<App>>(url: U, content: MessageOf<App, U>, options?: DelayedSendOptions): Promise<Receipt>
  ask<U extends AddressOf<App>>(url: U, content: MessageOf<App, U>, options?: AskOptions): Promise<Settled>
  stream<U extends AddressOf<App>>(
    url: U,
    content: MessageOf<App, U>,
    options?: SendOptions,
  ): AsyncIterableIterator<StreamEvent>
  get<U extends AddressOf<App>>(url: U, options?: CallOptions): Promise<EntityDetail & Addressed<U>>
  state<U extends AddressOf<App>>(url: U): Promise<TypedRows<RowsOf<App, U>[keyof RowsOf<App, U>]>>
  state<U extends AddressOf<App>, C extends keyof RowsOf<App, U> & string>(
    url: U,
    collection: C,
    options?: CallOptions,
  ): Promise<TypedRows<RowsOf<App, U>[C]>>
  list<Q extends QueryOf<App>>(query?: Q, options?: CallOptions): Promise<TypedPage<App, Q>>
  listAll<Q extends QueryOf<App>>(query?: Q, options?: CallOptions): AsyncIterableIterator<Listed<App, Q>>
  watch<Q extends QueryOf<App>>(query?: Q, options?: WatchOptions): AsyncIterableIterator<TypedWatchEvent<App, Q>>
  /** A shared space, by the name under which the module exports its definition. */
  shared<K extends SpaceOf<App>>(id: string): SharedClient<SpaceRows<App, K>>
}

/** The client of an app, or one that knows of none. */
export type ClientOf<App extends object | undefined> = [App] extends [object] ? TypedClient<App> : Client

type TypedMethod = "spawn" | "send" | "ask" | "stream" | "get" | "state" | "list" | "listAll" | "watch" | "shared"

/** Either client, for what works with both. */
export type AnyClient = Omit<Client, TypedMethod>

/** The shapes of the definitions that a module exports. */
type Shapes<App> = {
  [K in keyof App]: "~shape" extends keyof App[K]
    ? App[K] extends { readonly "~shape"?: infer S extends EntityShape }
      ? S
      : never
    : never
}[keyof App]

/** The names of an app's types. */
export type TypeOf<App> = Shapes<App>["name"]

/** The addresses of an app's agents. */
export type AddressOf<App> = `/${TypeOf<App>}/${string}`

type ShapeAt<App, T> = Extract<Shapes<App>, { readonly name: T extends `/${infer N}/${string}` ? N : T }>

/** What an agent's inbox takes. */
export type MessageOf<App, U> = ShapeAt<App, U>["message"]

/** What an agent is spawned with. */
export type ArgsOf<App, T> = ShapeAt<App, T>["args"]

/** The rows of an agent, by collection: the author's, and the built-in ones. */
export type RowsOf<App, U> = ShapeAt<App, U>["rows"] & { [K in BuiltInCollection]: BuiltInRows[K] }

/** The rows of an agent's author, by collection. */
export type OwnRowsOf<App, U> = ShapeAt<App, U>["rows"]

interface Addressed<U> {
  readonly url: U
}

/** What a spawn takes. */
export type SpawnInputOf<App, T> = Omit<SpawnInput, "args" | "message"> & {
  readonly message?: MessageOf<App, T> | undefined
} & (object extends ArgsOf<App, T> ? { readonly args?: ArgsOf<App, T> | undefined } : { readonly args: ArgsOf<App, T> })

/** What a spawn takes may be left out when nothing in it is required. */
type SpawnRest<App, T> =
  object extends ArgsOf<App, T>
    ? [input?: SpawnInputOf<App, T>, options?: SpawnOptions]
    : [input: SpawnInputOf<App, T>, options?: SpawnOptions]

interface SpawnReplyOf<App, T> extends SpawnReply {
  readonly entity: EntitySummary & Addressed<AddressAt<App, T>>
}

type AddressAt<App, T> = `/${ShapeAt<App, T>["name"]}/${string}`

export interface TypedRows<T> {
  readonly offset: Offset
  readonly rows: readonly { readonly collection: string; readonly key: string; readonly value: T }[]
}

/** What a list may be asked for. */
export type QueryOf<App> = Omit<EntityQuery, "type"> & { readonly type?: TypeOf<App> }

/** An entity of a list: of one type when the query names it. */
export type Listed<App, Q> = Q extends { readonly type: infer T extends TypeOf<App> }
  ? EntitySummary & Addressed<AddressAt<App, T>> & { readonly type: T }
  : EntitySummary & Addressed<AddressOf<App>>

interface TypedPage<App, Q> extends Omit<EntityPage, "entities"> {
  readonly entities: readonly Listed<App, Q>[]
}

type TypedWatchEvent<App, Q> =
  | { readonly kind: "page"; readonly page: TypedPage<App, Q> }
  | { readonly kind: "entity"; readonly entity: Listed<App, Q> }
  | Extract<WatchEvent, { readonly kind: "gone" }>

interface SpaceLike {
  readonly collections: Readonly<Record<string, { readonly schema: Schema }>>
  readonly definition: object
}

interface Schema<Output = unknown> {
  readonly "~standard": { readonly types?: { readonly output: Output } | undefined }
}

/** The names under which an app exports definitions of shared spaces. */
export type SpaceOf<App> = keyof { [K in keyof App as App[K] extends SpaceLike ? K : never]: true }

/** The rows of a shared space, by collection. */
export type SpaceRows<App, K extends keyof App> = App[K] extends {
  readonly collections: infer C extends SpaceLike["collections"]
}
  ? {
      readonly [N in keyof C]: C[N]["schema"] extends Schema<infer O> ? O : Json
    }
  : never
