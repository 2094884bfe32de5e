import { START } from "@rouse/protocol"
import type { CommitReply, HandlerCommit, Json, MessageRow, Row, WakeBackend, WakeRequest } from "@rouse/protocol"
import { silentLog } from "../../src/log.ts"
import type { Host } from "../../src/host.ts"

export const NOW_MS: number = Date.parse("2026-01-02T03:04:05.000Z")

export function testHost(overrides: Partial<Host> = {}): Host {
  return { clock: () => NOW_MS, random: () => 0.5, log: silentLog, env: {}, sleep: async () => undefined, ...overrides }
}

/** A backend that keeps the commits and answers with what `inbox` holds. */
export class RecordingBackend implements WakeBackend {
  readonly commits: HandlerCommit[] = []
  readonly controller: AbortController = new AbortController()
  inbox: Row<MessageRow>[] = []
  /** Called before a commit is taken; may throw. */
  before: (commit: HandlerCommit) => void | Promise<void> = () => undefined

  get signal(): AbortSignal {
    return this.controller.signal
  }

  async commit(commit: HandlerCommit): Promise<CommitReply> {
    await this.before(commit)
    this.commits.push(JSON.parse(JSON.stringify(commit)) as HandlerCommit)
    return { offset: START, inbox: this.inbox }
  }
}

export function message(key: string, content: Json, fields: Partial<MessageRow> = {}): Row {
  const value = {
    id: key,
    kind: "message",
    from: { kind: "user", id: "anna" },
    content,
    mode: "steer",
    at: "2026-01-02T03:04:05.000Z",
    status: "accepted",
    ...fields,
  }
  return { collection: "message", key, value: value as unknown as Json }
}

export function request(rows: readonly Row[], wake: Partial<WakeRequest["wake"]> = {}): WakeRequest {
  const reasons = rows
    .filter((row) => row.collection === "message")
    .map((row) => ({ kind: "message" as const, message: row.key }))
  return {
    wake: { id: "w1", epoch: 1, attempt: 1, first: true, reasons, deadlineAtMs: null, ...wake },
    entity: {
      url: "/assistant/one",
      type: "assistant",
      id: "one",
      args: {},
      tags: {},
      parent: null,
      createdAt: "2026-01-01T00:00:00.000Z",
    },
    rows,
  }
}
