import type { ForkStreamOp } from "@rouse/store"
import type { ModelResult, ModelStream } from "./model-state.ts"

type Streams = Record<string, ModelStream>

/** Forks as one would write them who copies: each has its messages. Every batch of the model is one message. */

export function emptyStream(): ModelStream {
  return { messages: [], closed: false, producers: {}, forks: 0, deleted: false }
}

export function applyFork(streams: Streams, op: ForkStreamOp): ModelResult {
  const existing = streams[op.path]
  if (existing !== undefined) return isSame(existing, op) ? "applied" : "ALREADY_EXISTS"
  const source = streams[op.source]
  if (source === undefined) return "UNKNOWN_STREAM"
  if (source.deleted) return "FORK_SOURCE_GONE"
  const whole = op.offset === undefined ? source.messages.length : 0
  const sub = op.subOffset ?? 0
  if (sub > Math.min(1, source.messages.length - whole)) return "BAD_OFFSET"
  source.forks += 1
  const base = bytesOf(source.messages.slice(0, whole))
  const messages = source.messages.slice(0, whole + sub)
  streams[op.path] = { ...emptyStream(), messages, fork: { source: op.source, base, sub } }
  return "applied"
}

export function applyDelete(streams: Streams, path: string): ModelResult {
  const stream = streams[path]
  if (stream === undefined) return "UNKNOWN_STREAM"
  if (stream.deleted) return "GONE"
  if (stream.forks > 0) stream.deleted = true
  else drop(streams, path)
  return "applied"
}

function drop(streams: Streams, path: string): void {
  const above = streams[path]?.fork?.source ?? ""
  delete streams[path]
  const source = streams[above]
  if (source === undefined) return
  source.forks -= 1
  if (source.deleted && source.forks === 0) drop(streams, above)
}

function isSame(existing: ModelStream, op: ForkStreamOp): boolean {
  const { fork, closed, deleted } = existing
  if (deleted || closed || fork?.source !== op.source || fork.sub !== (op.subOffset ?? 0)) return false
  return op.offset === undefined || fork.base === 0
}

function bytesOf(messages: readonly string[]): number {
  return messages.reduce((sum, message) => sum + Buffer.byteLength(message), 0)
}
