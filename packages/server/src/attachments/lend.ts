import {
  type AttachmentInfo,
  type AttachmentRow,
  entityUrl,
  type EntityUrl,
  type HandlerCommit,
  RouseError,
} from "@rouse/protocol"
import type { Op } from "@rouse/store"
import { infoOf } from "../core/attachment-record.ts"
import { isoTime } from "../core/control.ts"
import type { EntityDraft } from "../core/draft.ts"
import { attachmentCopy } from "../fork/attachments.ts"
import type { Plane } from "../plane.ts"
import { readRecord } from "./attachments.ts"

/** A file that goes with a message from one entity to another. */
interface Loan {
  readonly info: AttachmentInfo
  /** What makes it the receiver's too. Undefined: it has it already. */
  readonly ops: readonly Op[] | undefined
}

/**
 * The files that a handler's messages bring to others, found before the commit is planned.
 *
 * The receiver gets them as its own in the commit that delivers the message: what becomes of the sender's takes nothing from it.
 */
export class Loans {
  readonly #plane: Plane
  readonly #from: EntityUrl
  /** By receiver and id: a file that comes with two messages is given once. */
  readonly #loans: ReadonlyMap<string, Loan>

  private constructor(plane: Plane, from: EntityUrl, loans: ReadonlyMap<string, Loan>) {
    this.#plane = plane
    this.#from = from
    this.#loans = loans
  }

  /** @throws {RouseError} `NOT_FOUND` naming what the sender does not have. */
  static async find(plane: Plane, from: EntityUrl, { sends = [], spawns = [] }: HandlerCommit): Promise<Loans> {
    const loans = new Map<string, Loan>()
    const wanted = [
      ...sends.map(({ to, attachments }) => ({ to, attachments })),
      ...spawns.map(({ type, id, message }) => ({ to: entityUrl(type, id), attachments: message?.attachments })),
    ]
    for (const { to, attachments = [] } of wanted) {
      for (const id of attachments) {
        if (!loans.has(keyOf(to, id))) loans.set(keyOf(to, id), await loan(plane, from, to, id))
      }
    }
    return new Loans(plane, from, loans)
  }

  /** What a message's row says of its files. */
  of(to: EntityUrl, ids: readonly string[] = []): { readonly attachments?: readonly AttachmentInfo[] } {
    if (ids.length === 0) return {}
    return { attachments: ids.map((id) => (this.#loans.get(keyOf(to, id)) as Loan).info) }
  }

  /** Adds to the plan what makes files the receiver's own. What it has by now stays as it is. */
  async give(to: EntityDraft, ids: readonly string[] = [], given: Set<string>): Promise<void> {
    for (const id of ids) {
      const key = keyOf(to.url, id)
      const { info, ops } = this.#loans.get(key) as Loan
      if (ops === undefined || given.has(key)) continue
      given.add(key)
      if ((await readRecord(this.#plane, to.url, id)) !== undefined) continue
      const row: AttachmentRow = { ...info, at: isoTime(to.nowMs), by: { kind: "agent", id: this.#from } }
      to.insert("attachment", id, row)
      for (const op of ops) to.also(op)
    }
  }
}

async function loan(plane: Plane, from: EntityUrl, to: EntityUrl, id: string): Promise<Loan> {
  const known = to === from ? undefined : await readRecord(plane, to, id)
  if (known !== undefined) return { info: infoOf(known), ops: undefined }
  const record = await readRecord(plane, from, id)
  if (record === undefined) throw new RouseError("NOT_FOUND", `attachments: ${from} has no attachment ${id}`)
  return { info: infoOf(record), ops: to === from ? undefined : await attachmentCopy(plane, from, to, record) }
}

function keyOf(to: EntityUrl, id: string): string {
  return `${to} ${id}`
}
