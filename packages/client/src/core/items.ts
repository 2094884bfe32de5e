import type {
  ApprovalRow,
  ChildRow,
  ErrorRow,
  Json,
  MessageRow,
  RunOutcome,
  RunRow,
  SignalRow,
  StepRow,
  ToolCallRow,
  ToolWorkRow,
  WakeRow,
} from "@rouse/protocol"

/**
 * What a timeline shows, in order. `id` is unique within the timeline and stable: use it as the React key. `key` is the row's.
 * An item that did not change is the same object as before.
 */
export type Item = MessageItem | StepItem | RunEndItem | ChildItem | ErrorItem | WakeItem | SignalItem

interface ItemBase {
  readonly id: string
  readonly key: string
}

/** Something in the inbox. `row.kind` says what: a message, a finished child, an approval's decision, a custom signal. */
export interface MessageItem extends ItemBase {
  readonly kind: "message"
  readonly row: MessageRow
  /** The step whose prompt gained it. The item stands before that step. */
  readonly step?: string
}

/** One call of the model and what came of it. Steps of one run share `run`. */
export interface StepItem extends ItemBase {
  readonly kind: "step"
  readonly run: string
  /** Absent when the log was joined after the step began. */
  readonly row?: StepRow
  /** The row's status; `interrupted` when the run is over and the step never ended. */
  readonly status: StepRow["status"]
  /** Text, reasoning and tool calls, by `index`. */
  readonly parts: readonly Part[]
}

export type Part = TextPart | ToolPart

/** A piece of the model's answer, as far as it is known. */
export interface TextPart {
  readonly kind: "text" | "reasoning"
  readonly key: string
  readonly index: number
  readonly text: string
  /** More is coming. */
  readonly streaming: boolean
  /** A piece in the middle is missing; the settled row will bring it. */
  readonly gap: boolean
  /** Where the next delta should begin, in UTF-16 code units. */
  readonly end: number
}

/** A tool call: its name, input, effect, status, output and attempts are the row's. */
export interface ToolPart {
  readonly kind: "tool"
  readonly key: string
  readonly index: number
  readonly row: ToolCallRow
  /** Present when a person was or is asked. */
  readonly approval?: ApprovalRow
  /** Present while it is with workers: who has it, and how far it is. */
  readonly work?: ToolWorkRow
}

/** The end of a run: its error and usage are the row's. */
export interface RunEndItem extends ItemBase {
  readonly kind: "runEnd"
  readonly run: string
  readonly row: RunRow
  readonly outcome: RunOutcome
  /** Present when the reply differs from the last text that the run wrote. */
  readonly reply?: Json
}

export interface ChildItem extends ItemBase {
  readonly kind: "child"
  readonly row: ChildRow
}

/** A failed attempt of a wake. */
export interface ErrorItem extends ItemBase {
  readonly kind: "error"
  readonly row: ErrorRow
  /** Another attempt follows or followed. */
  readonly retried: boolean
}

/** A wake that was dead-lettered or lost its lease. */
export interface WakeItem extends ItemBase {
  readonly kind: "wake"
  readonly row: WakeRow
}

/** A signal from outside: interrupt, pause, resume or kill. Custom ones arrive as messages. */
export interface SignalItem extends ItemBase {
  readonly kind: "signal"
  readonly row: SignalRow
}

/** The unique id of an item. */
export function itemId(kind: Item["kind"], key: string): string {
  return `${kind}:${key}`
}
