import type { EntityStatus, EntityUrl, Json, JsonObject } from "@rouse/protocol"
import { type Commit, frameJson, type Op } from "@rouse/store"

/**
 * The commits of the server's turns, in shape and size: one spawns, one accepts a message and takes the lease, one finishes the wake.
 * What they say is not run by any server; only the store sees them.
 */
export interface TurnRecord {
  readonly url: EntityUrl
  readonly id: string
  readonly path: string
  version: number
  epoch: number
}

const TYPE = "echo"
const TEXT = "hello world"

export function recordOf(id: string): TurnRecord {
  return { url: `/${TYPE}/${id}`, id, path: `entities/${TYPE}/${id}`, version: 0, epoch: 0 }
}

export function spawnCommit(record: TurnRecord): Commit {
  const nowMs = Date.now()
  const { url, id, path } = record
  const value = { url, type: TYPE, id, args: {}, parent: null, createdAt: iso(nowMs), status: "live" }
  const data = frameJson([event("insert", "entity", url, value)])
  const guards = [{ kind: "version", url, version: record.version++ }] as const
  return {
    guards,
    ops: [
      put(record, nowMs, "idle"),
      { op: "createStream", path, contentType: "application/json", data, nowMs },
      row(url, "entity", url, value),
    ],
  }
}

export function acceptCommit(record: TurnRecord): Commit {
  const nowMs = Date.now()
  const { url, path } = record
  record.epoch += 1
  const { key, message, wake } = rowsOf(record, nowMs)
  const data = frameJson([event("insert", "message", key, message), event("insert", "wake", wake.id, wake)])
  const guards = [{ kind: "version", url, version: record.version++ }] as const
  return {
    guards,
    ops: [put(record, nowMs, "running"), { op: "append", path, data, nowMs }, row(url, "message", key, message)],
  }
}

export function finishCommit(record: TurnRecord): Commit {
  const nowMs = Date.now()
  const { url, path, epoch } = record
  const { key, message, wake } = rowsOf(record, nowMs)
  const run = `r${digits(epoch, 6)}`
  const step = `${run}-s0001`
  const usage = { inputTokens: 7, outputTokens: 6 }
  const written: [string, string, JsonObject][] = [
    [
      "run",
      run,
      {
        id: run,
        wake: wake.id,
        status: "completed",
        startedAt: iso(nowMs),
        usage,
        endedAt: iso(nowMs),
        reply: `You said: ${TEXT}`,
      },
    ],
    [
      "step",
      step,
      {
        id: step,
        run,
        index: 1,
        pass: 0,
        model: "rouse/echo",
        messages: [key],
        status: "done",
        startedAt: iso(nowMs),
        endedAt: iso(nowMs),
        finishReason: "stop",
        usage,
      },
    ],
    ["text", `${step}-p000`, { run, step, index: 0, text: `You said: ${TEXT}` }],
    ["message", key, { ...message, status: "processed", run }],
  ]
  const events = [
    ...written.map(([collection, rowKey, value]) => event("insert", collection, rowKey, value)),
    event("update", "wake", wake.id, { ...wake, endedAt: iso(nowMs), outcome: "completed" }),
  ]
  const rows = written.map(([collection, rowKey, value]) => row(url, collection, rowKey, value))
  const guards = [
    { kind: "lease", url, epoch, seq: 1 },
    { kind: "version", url, version: record.version++ },
  ] as const
  return { guards, ops: [put(record, nowMs, "idle"), { op: "append", path, data: frameJson(events), nowMs }, ...rows] }
}

/** An agent that took one message, as three appends of one event each, with the state that they leave. */
export function threeEvents(record: TurnRecord): { readonly ops: readonly Op[]; readonly logBytes: number } {
  const nowMs = Date.now()
  const { url, id, path } = record
  record.epoch += 1
  const { key, message } = rowsOf(record, nowMs)
  const entity = { url, type: TYPE, id, args: {}, parent: null, createdAt: iso(nowMs), status: "live" }
  const processed = { ...message, status: "processed" }
  const events = [
    event("insert", "entity", url, entity),
    event("insert", "message", key, message),
    event("update", "message", key, processed),
  ]
  const [data, ...later] = events.map((one) => frameJson([one]))
  const appends = later.map((one): Op => ({ op: "append", path, data: one, nowMs }))
  const ops: Op[] = [
    put(record, nowMs, "idle"),
    { op: "createStream", path, contentType: "application/json", ...(data === undefined ? {} : { data }), nowMs },
    ...appends,
    row(url, "entity", url, entity),
    row(url, "message", key, processed),
  ]
  return { ops, logBytes: [data, ...later].reduce((sum, one) => sum + (one?.length ?? 0), 0) }
}

function rowsOf(
  record: TurnRecord,
  nowMs: number,
): { key: string; message: JsonObject; wake: { id: string } & JsonObject } {
  const key = `m${digits(record.epoch, 9)}`
  const message = {
    id: key,
    kind: "message",
    from: { kind: "user", id: "local" },
    content: TEXT,
    mode: "steer",
    at: iso(nowMs),
    status: "accepted",
  }
  const wake = {
    id: `${record.id}.${digits(record.epoch, 20)}`,
    attempt: 1,
    epoch: record.epoch,
    reasons: ["message"],
    at: iso(nowMs),
  }
  return { key, message, wake }
}

function put({ url, id, epoch }: TurnRecord, nowMs: number, status: EntityStatus): Op {
  const phase =
    status === "running"
      ? { kind: status, wake: { id: `${id}.wake`, attempt: 1 }, expiresAtMs: nowMs + 60_000 }
      : { kind: status }
  const control = {
    wake: { epoch, pending: 0, runOpen: false, phase },
    run: null,
    taken: [],
    notify: true,
    depth: 0,
    wakes: epoch,
    accepted: epoch,
    reason: null,
  }
  const dueAtMs = status === "running" ? nowMs + 60_000 : null
  return {
    op: "putEntity",
    record: {
      url,
      type: TYPE,
      id,
      status,
      epoch,
      parent: null,
      createdAtMs: nowMs,
      activeAtMs: nowMs,
      dueAtMs,
      tags: {},
      args: {},
      control,
    },
  }
}

function row(url: EntityUrl, collection: string, key: string, value: Json): Op {
  return { op: "putRow", url, collection, key, value }
}

function event(operation: string, type: string, key: string, value: Json): JsonObject {
  return { type, key, value, headers: { operation } }
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, "0")
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
