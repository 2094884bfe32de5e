import type { ErrorCode, Json } from "@rouse/protocol"
import { entityStreamPath, parseEntityUrl } from "@rouse/protocol"
import { frameJson } from "@rouse/store"
import type { AppendOp, CreateStreamOp, EntityRecord, ForkStreamOp, Op, Store } from "@rouse/store"
import { afterEach, expect } from "vitest"

/** One engine under test, on data of its own. */
export interface OpenedStore {
  readonly store: Store
  /** Closes the store and opens it again on the same data. Absent where nothing outlives a close. */
  readonly reopen?: () => Promise<Store>
  /** Closes whatever is open and removes the data. */
  readonly close: () => Promise<void>
}

export type OpenStore = (options: { readonly clock: () => number }) => Promise<OpenedStore>

/** What a section of the suite works with. */
export interface Fixture {
  /** A new store, closed after the test. */
  open(): Promise<Store>
  openOnce(): Promise<OpenedStore>
  now: number
}

export const NOW = 1_800_000_000_000

export function fixtureOf(open: OpenStore): Fixture {
  const opened: OpenedStore[] = []
  const fixture: Fixture = {
    now: NOW,
    async openOnce() {
      const one = await open({ clock: () => fixture.now })
      opened.push(one)
      return one
    },
    async open() {
      return (await fixture.openOnce()).store
    },
  }
  afterEach(async () => {
    fixture.now = NOW
    for (const one of opened.splice(0)) await one.close()
  })
  return fixture
}

type Changes = Partial<Omit<EntityRecord, "version">>

export function record(url: string, changes: Changes = {}): Omit<EntityRecord, "version"> {
  const parts = parseEntityUrl(url)
  if (parts === undefined) throw new Error(`${url} is not an address`)
  const defaults = { status: "idle", epoch: 1, parent: null, createdAtMs: NOW, activeAtMs: NOW, dueAtMs: null } as const
  return { ...defaults, tags: {}, args: {}, control: {}, ...changes, ...parts, url }
}

export function put(url: string, changes: Changes = {}): Op {
  return { op: "putEntity", record: record(url, changes) }
}

export function putRow(url: string, collection: string, key: string, value: Json): Op {
  return { op: "putRow", url, collection, key, value }
}

export function create(path: string, changes: Partial<CreateStreamOp> = {}): CreateStreamOp {
  return { op: "createStream", path, contentType: "application/json", nowMs: NOW, ...changes }
}

export function fork(path: string, source: string, changes: Partial<ForkStreamOp> = {}): ForkStreamOp {
  return { op: "forkStream", path, source, nowMs: NOW, ...changes }
}

export function append(path: string, message: Json, changes: Partial<AppendOp> = {}): AppendOp {
  return { op: "append", path, data: frameJson([message]), nowMs: NOW, ...changes }
}

export function closeOnly(path: string, changes: Partial<AppendOp> = {}): AppendOp {
  return { op: "append", path, data: new Uint8Array(), close: true, nowMs: NOW, ...changes }
}

/** An entity with its log. */
export function spawn(url: string, changes: Changes = {}): Op[] {
  return [create(entityStreamPath(url)), put(url, changes)]
}

/** Fails unless the promise is refused with this code. Returns the details. */
export async function refused(work: Promise<unknown>, code: ErrorCode): Promise<Readonly<Record<string, unknown>>> {
  const error: unknown = await work.then(
    (value) => new Error(`not refused: ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  )
  expect(error).toMatchObject({ name: "RouseError", code })
  return (error as { readonly details: Readonly<Record<string, unknown>> }).details
}
