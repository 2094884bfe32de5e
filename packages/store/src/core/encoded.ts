import type { Row } from "@rouse/protocol"
import type { Commit, Guard, Op } from "../commit.ts"
import type { EntityRecord } from "../entity.ts"
import type { StoredReceipt } from "../receipt.ts"
import type { SpaceChange } from "../space.ts"
import type { Timer } from "../timer.ts"
import type { WorkItem } from "../work.ts"

/**
 * Commits as they reach an engine: every JSON value is text, taken when the commit was given, so that later changes by the
 * caller do not matter and the values cross to another thread as flat strings.
 */
export interface EncodedCommit {
  readonly guards: readonly Guard[]
  readonly ops: readonly EncodedOp[]
}

type JsonOp = "putEntity" | "putRow" | "putTimer" | "putReceipt" | "putWork"

export type EncodedOp =
  | Exclude<Op, { readonly op: JsonOp }>
  | { readonly op: "putEntity"; readonly record: EncodedRecord }
  | {
      readonly op: "putRow"
      readonly url: string
      readonly collection: string
      readonly key: string
      readonly value: string
    }
  | { readonly op: "putTimer"; readonly timer: EncodedTimer }
  | { readonly op: "putReceipt"; readonly receipt: EncodedReceipt }
  | { readonly op: "putWork"; readonly item: EncodedWork }

export type EncodedRecord = Omit<EntityRecord, "version" | "tags" | "args" | "control"> & {
  readonly tags: string
  readonly args: string
  readonly control: string
}
export type EncodedTimer = Omit<Timer, "payload"> & { readonly payload: string }
export type EncodedReceipt = Omit<StoredReceipt, "response"> & { readonly response: string }
export type EncodedWork = Omit<WorkItem, "payload"> & { readonly payload: string }
export type EncodedRow = Omit<Row, "value"> & { readonly value: string }

export function encodeCommit(commit: Commit): EncodedCommit {
  return { guards: commit.guards ?? [], ops: commit.ops.map(encodeOp) }
}

/** What a commit weighs in a queue: its bytes and text. */
export function sizeOfCommit(commit: EncodedCommit): number {
  return commit.ops.reduce((sum, op) => sum + sizeOfOp(op), 0)
}

function sizeOfOp(op: EncodedOp): number {
  switch (op.op) {
    case "append":
      return op.data.length
    case "createStream":
    case "forkStream":
      return op.data?.length ?? 0
    case "putRow":
      return op.value.length
    case "putEntity":
      return op.record.args.length + op.record.control.length
    case "putTimer":
      return op.timer.payload.length
    case "putReceipt":
      return op.receipt.response.length
    case "putWork":
      return op.item.payload.length
    case "putSnapshot":
    case "trimStream":
      return op.data?.length ?? 0
    case "subscription":
      return op.change.kind === "put" ? op.change.record.config.length + op.change.record.state.length : 0
    case "observation":
      return op.change.kind === "put" ? op.change.record.config.length : 0
    case "space":
      return sizeOfChange(op.change)
    case "secret":
    case "deleteStream":
    case "touchStream":
    case "deleteEntity":
    case "deleteRow":
    case "deleteTimer":
    case "dropWork":
    case "putPin":
    case "dropPin":
      return 0
  }
}

function sizeOfChange(change: SpaceChange): number {
  if (change.kind !== "write") return 0
  return change.writes.reduce((sum, write) => sum + ("value" in write ? (write.value?.length ?? 0) : 0), 0)
}

function encodeOp(op: Op): EncodedOp {
  switch (op.op) {
    case "putEntity":
      return { op: "putEntity", record: encodeRecord(op.record) }
    case "putRow":
      return {
        op: "putRow",
        url: op.url,
        collection: op.collection,
        key: op.key,
        value: op.json ?? JSON.stringify(op.value),
      }
    case "putTimer":
      return { op: "putTimer", timer: { ...op.timer, payload: JSON.stringify(op.timer.payload) } }
    case "putReceipt":
      return { op: "putReceipt", receipt: { ...op.receipt, response: JSON.stringify(op.receipt.response) } }
    case "putWork":
      return { op: "putWork", item: { ...op.item, payload: JSON.stringify(op.item.payload) } }
    case "subscription":
    case "observation":
    case "space":
    case "secret":
    case "createStream":
    case "forkStream":
    case "append":
    case "deleteStream":
    case "touchStream":
    case "deleteEntity":
    case "deleteRow":
    case "deleteTimer":
    case "dropWork":
    case "putSnapshot":
    case "trimStream":
    case "putPin":
    case "dropPin":
      return op
  }
}

function encodeRecord(record: Omit<EntityRecord, "version">): EncodedRecord {
  return {
    url: record.url,
    type: record.type,
    id: record.id,
    status: record.status,
    epoch: record.epoch,
    parent: record.parent,
    createdAtMs: record.createdAtMs,
    activeAtMs: record.activeAtMs,
    dueAtMs: record.dueAtMs,
    tags: JSON.stringify(record.tags),
    args: JSON.stringify(record.args),
    control: JSON.stringify(record.control),
  }
}
