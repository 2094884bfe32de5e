import type { Budget, Spend } from "./budget.ts"
import type { ForkPoint } from "./fork.ts"
import type { JsonObject } from "./json.ts"
import type { UsageSum } from "./usage.ts"

/** `/{type}/{id}`: the address of an entity. */
export type EntityUrl = string

/** What an entity is doing, as a person sees it. */
export type EntityStatus = "idle" | "queued" | "running" | "suspended" | "paused" | "dead" | "stopped"

/** The public facts about an entity: what a list shows. */
export interface EntitySummary {
  readonly url: EntityUrl
  readonly type: string
  readonly id: string
  readonly status: EntityStatus
  readonly args: JsonObject
  readonly tags: Readonly<Record<string, string>>
  readonly parent: EntityUrl | null
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** When it last changed: ISO 8601, UTC. */
  readonly activeAt: string
  /** Messages accepted and not yet settled. */
  readonly pending: number
  /** The stream that holds its log, as a path below the server's base. */
  readonly stream: string
  /** The attempt under way, from 1; absent when nothing is queued or running. */
  readonly attempt?: number
  /** Why the last attempt failed, or why it was dead-lettered or stopped. */
  readonly reason?: string
  /** What its own model calls used; absent before the first. */
  readonly usage?: UsageSum
  readonly budget?: { readonly limits: Budget; readonly spent: Spend }
  /** Of a fork: whose history it began with, and up to where. */
  readonly forkedFrom?: ForkPoint
}

const TYPE = /^[a-z][a-z0-9_-]{0,63}$/
const TAG = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$/
const ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/

/** Whether `type` may name an entity type: lower-case letters, digits, `_` and `-`, at most 64. */
export function isEntityType(type: string): boolean {
  return TYPE.test(type)
}

/** Whether `id` may name an entity: unreserved URL characters (RFC 3986 §2.3), at most 128, no leading punctuation. */
export function isEntityId(id: string): boolean {
  return ID.test(id)
}

/** Whether `name` may name a tag: letters, digits and `._:/-`, at most 64, a letter or digit first. */
export function isTagName(name: string): boolean {
  return TAG.test(name)
}

/** The address of an entity. */
export function entityUrl(type: string, id: string): EntityUrl {
  return `/${type}/${id}`
}

/** Splits an address; undefined when it is not one. */
export function parseEntityUrl(url: string): { readonly type: string; readonly id: string } | undefined {
  const [empty, type, id, ...rest] = url.split("/")
  if (empty !== "" || type === undefined || id === undefined || rest.length > 0) return undefined
  return isEntityType(type) && isEntityId(id) ? { type, id } : undefined
}

const LOGS = "entities"

/** The path of an entity's log among the streams. */
export function entityStreamPath(url: EntityUrl): string {
  return LOGS + url
}

/** The entity whose log this stream is; undefined when it is none's. */
export function entityOfStream(path: string): EntityUrl | undefined {
  const url = path.startsWith(`${LOGS}/`) ? path.slice(LOGS.length) : undefined
  return url === undefined || parseEntityUrl(url) === undefined ? undefined : url
}
