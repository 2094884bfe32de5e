import type { ChangeEvent, Json, MessageRow, Operation, RunRow, StepRow, ToolCallRow, WakeRow } from "@rouse/protocol"
import type { EntityLog, History, SentMessage } from "../../src/crash/core/history.ts"

const AT = "2026-01-02T03:04:05.000Z"
const AGENT = "/agent/one"
const SINK = "/sink/one"

/** The driver's one message. */
export const SENT: SentMessage = {
  name: "m1",
  to: AGENT,
  mode: "queue",
  way: "send",
  accepted: true,
  key: "m000000001",
  tries: 1,
  settled: "processed",
}

type Change = (log: ChangeEvent[]) => ChangeEvent[]

/** Faults to put into a history that is in order. */
export interface Faults {
  /** Changes the agent's log. */
  readonly agent?: Change
  readonly sink?: Change
  readonly history?: Partial<History>
}

/** A small history in which every promise is kept: one queued message, one run with a call of class `once`, and two sends. */
export function historyWith(faults: Faults = {}): History {
  const change = (log: EntityLog, by: Change | undefined): EntityLog => ({
    ...log,
    events: by ? by([...log.events]) : log.events,
  })
  const logs = [change(agentLog(), faults.agent), change(sinkLog(), faults.sink)]
  return {
    sent: [SENT],
    effects: [{ key: "k1", ref: "m1.s0c0", tool: "mail", effect: "once", executions: 1, effects: 1, asked: 0 }],
    lives: [{ spawnedAtMs: 0, readyAtMs: 100 }],
    rest: logs.map(({ url }) => ({
      url,
      status: "idle",
      dueAtMs: null,
      control: { wake: { pending: 0, runOpen: false, phase: { kind: "idle" } }, run: null },
    })),
    nextDueAtMs: undefined,
    logs,
    ...faults.history,
  }
}

export function event(operation: Operation, type: string, key: string, value?: object): ChangeEvent {
  return { type, key, ...(value === undefined ? {} : { value: value as Json }), headers: { operation } }
}

export function message(status: MessageRow["status"], fields: Partial<MessageRow> = {}): MessageRow {
  const from = { kind: "user", id: "driver" } as const
  return {
    id: "m000000001",
    kind: "message",
    from,
    content: 'm1\n/call mail {"ref":"m1.s0c0"}',
    mode: "queue",
    at: AT,
    status,
    ...fields,
  }
}

export function run(status: RunRow["status"]): RunRow {
  return { id: "r000001", wake: "w1", status, startedAt: AT, ...(status === "running" ? {} : { endedAt: AT }) }
}

export function step(fields: Partial<StepRow> = {}): StepRow {
  return {
    id: "r000001-s0001",
    run: "r000001",
    index: 1,
    pass: 0,
    model: "rouse/echo",
    messages: ["m000000001"],
    status: "done",
    startedAt: AT,
    ...fields,
  }
}

export function call(status: ToolCallRow["status"], fields: Partial<ToolCallRow> = {}): ToolCallRow {
  return {
    id: "r000001-s0001-p000",
    run: "r000001",
    step: "r000001-s0001",
    index: 0,
    callId: "echo_0_0",
    name: "mail",
    input: { ref: "m1.s0c0" },
    effect: "once",
    idempotencyKey: "k1",
    status,
    attempts: 1,
    ...(status === "running" ? {} : { endedAt: AT }),
    ...fields,
  }
}

export function wake(fields: Partial<WakeRow> = {}): WakeRow {
  return { id: "w1", attempt: 1, epoch: 1, reasons: ["message"], at: AT, ...fields }
}

const OVER = { endedAt: AT, outcome: "completed" } as const

function agentLog(): EntityLog {
  const events = [
    event("insert", "entity", AGENT, {
      url: AGENT,
      type: "agent",
      id: "one",
      args: {},
      parent: null,
      createdAt: AT,
      status: "live",
    }),
    event("insert", "message", "m000000001", message("accepted")),
    event("insert", "wake", "w1", wake()),
    event("insert", "run", "r000001", run("running")),
    event("update", "message", "m000000001", message("taken", { run: "r000001" })),
    event("insert", "step", "r000001-s0001", step()),
    event("insert", "tool_call", "r000001-s0001-p000", call("running")),
    event("update", "tool_call", "r000001-s0001-p000", call("done", { output: "sent" })),
    event("insert", "step", "r000001-s0002", step({ id: "r000001-s0002", index: 2, messages: [] })),
    event("insert", "text", "r000001-s0002-p000", { run: "r000001", step: "r000001-s0002", index: 0, text: "Done." }),
    event("update", "run", "r000001", run("completed")),
    event("update", "message", "m000000001", message("processed", { run: "r000001" })),
    event("update", "wake", "w1", wake(OVER)),
  ]
  return { url: AGENT, type: "agent", status: "idle", pending: 0, events }
}

function sinkLog(): EntityLog {
  const events = [
    event("insert", "entity", SINK, {
      url: SINK,
      type: "sink",
      id: "one",
      args: {},
      parent: null,
      createdAt: AT,
      status: "live",
    }),
    event("insert", "wake", "w2", wake({ id: "w2" })),
    ...note("m000000001", { ref: "m1.before", nonce: "n" }),
    ...note("m000000002", { ref: "m1.after", nonce: "n" }),
    event("update", "wake", "w2", wake({ id: "w2", ...OVER })),
  ]
  return { url: SINK, type: "sink", status: "idle", pending: 0, events }
}

/** A note that arrived and was processed. */
export function note(key: string, content: Json): ChangeEvent[] {
  const row = (status: MessageRow["status"]): MessageRow =>
    message(status, { id: key, content, from: { kind: "agent", id: AGENT } })
  return [event("insert", "message", key, row("accepted")), event("update", "message", key, row("processed"))]
}
