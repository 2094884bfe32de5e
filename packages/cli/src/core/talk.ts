import type { ApprovalRow, Json, MessageMode } from "@rouse/protocol"
import { EMPTY_EDITOR, edit, editorOf, insert, isAtEdge } from "./editor.ts"
import type { Editor } from "./editor.ts"
import type { Key } from "./key.ts"

/**
 * What a person types to an agent, key by key.
 *
 * 1. What waits for a person is asked first: y, n and e decide it while nothing is typed, and escape puts it off.
 * 2. Ctrl-C interrupts a run; a second one soon after leaves.
 */
export interface Talk {
  readonly editor: Editor
  /** How a message joins a run under way. */
  readonly mode: MessageMode
  /** What was said before, the oldest first, and which of it is shown: its length when none is. */
  readonly history: readonly string[]
  readonly at: number
  /** Approvals that are decided or put off. */
  readonly aside: readonly string[]
  /** The call whose input is being edited. */
  readonly editing?: string
  /** Until when another Ctrl-C leaves: milliseconds since the Unix epoch. */
  readonly leaveUntilMs?: number
}

export type TalkEffect =
  | { readonly kind: "send"; readonly text: string; readonly mode: MessageMode }
  | { readonly kind: "decide"; readonly call: string; readonly decision: "allow" | "deny"; readonly input?: Json }
  | { readonly kind: "answer"; readonly call: string; readonly answer: Json }
  | { readonly kind: "interrupt" }
  | { readonly kind: "leave" }
  | { readonly kind: "say"; readonly text: string }

/** What the agent is at: whether it works, and what waits for a person. */
export interface Meanwhile {
  readonly busy: boolean
  readonly approvals: Readonly<Record<string, ApprovalRow>>
  readonly nowMs: number
}

const LEAVE_MS = 2_000
const HISTORY_MAX = 200
const MODES: readonly MessageMode[] = ["steer", "queue", "interrupt"]

export function talkOf(history: readonly string[]): Talk {
  const kept = history.slice(-HISTORY_MAX)
  return { editor: EMPTY_EDITOR, mode: "steer", history: kept, at: kept.length, aside: [] }
}

/** What is asked of the person now. */
export function askedOf({ aside }: Talk, approvals: Meanwhile["approvals"]): ApprovalRow | undefined {
  return Object.values(approvals).find(({ call }) => !aside.includes(call))
}

/** What a key does. Pure: the caller performs the effect. */
export function stepTalk(talk: Talk, key: Key, meanwhile: Meanwhile): readonly [Talk, TalkEffect?] {
  if (key.ctrl && key.name === "c") return interrupted(talk, meanwhile)
  const { leaveUntilMs: _, ...calm } = talk
  const asked = askedOf(talk, meanwhile.approvals)
  if (key.ctrl && key.name === "d" && talk.editor.text === "") return [calm, { kind: "leave" }]
  if (key.name === "escape") return [escaped(calm, asked)]
  if (key.name === "tab" && !key.meta) return [{ ...calm, mode: nextMode(talk.mode) }]
  if (asked && asked.kind !== "question" && talk.editing === undefined && talk.editor.text === "") {
    const decided = decide(calm, key, asked)
    if (decided) return decided
  }
  if (key.name === "enter" || (key.name === "return" && key.meta)) return [typed(calm, insert(calm.editor, "\n"))]
  if (key.name === "return") return entered(calm, asked)
  if ((key.name === "up" || key.name === "down") && isAtEdge(calm.editor, key.name === "up" ? "first" : "last"))
    return [recalled(calm, key.name === "up" ? -1 : 1)]
  return [typed(calm, edit(calm.editor, key))]
}

/** What was not accepted is typed again, unless something else is. */
export function givenBack(talk: Talk, effect: TalkEffect): Talk {
  if (effect.kind === "send") return talk.editor.text === "" ? { ...talk, editor: editorOf(effect.text) } : talk
  if (effect.kind !== "decide" && effect.kind !== "answer") return talk
  return { ...talk, aside: talk.aside.filter((call) => call !== effect.call) }
}

function interrupted(talk: Talk, { busy, nowMs }: Meanwhile): readonly [Talk, TalkEffect?] {
  if (talk.leaveUntilMs !== undefined && nowMs < talk.leaveUntilMs) return [talk, { kind: "leave" }]
  const { editing: _, ...rest } = talk
  const armed = { ...rest, editor: EMPTY_EDITOR, at: talk.history.length, leaveUntilMs: nowMs + LEAVE_MS }
  if (talk.editor.text !== "") return [armed, { kind: "say", text: "Ctrl-C again leaves" }]
  return [armed, busy ? { kind: "interrupt" } : { kind: "say", text: "Ctrl-C again leaves" }]
}

function escaped(talk: Talk, asked: ApprovalRow | undefined): Talk {
  const { editing, ...rest } = talk
  if (editing !== undefined) return { ...rest, editor: EMPTY_EDITOR }
  return asked === undefined ? talk : { ...talk, aside: [...talk.aside, asked.call] }
}

function decide(talk: Talk, key: Key, asked: ApprovalRow): readonly [Talk, TalkEffect?] | undefined {
  const { call } = asked
  if (key.ctrl || key.meta) return undefined
  if (key.name === "y" || key.name === "n") {
    const decision = key.name === "y" ? "allow" : "deny"
    return [
      { ...talk, aside: [...talk.aside, call] },
      { kind: "decide", call, decision },
    ]
  }
  if (key.name !== "e" || asked.kind === "budget") return undefined
  return [{ ...talk, editing: call, editor: editorOf(JSON.stringify(asked.edited ?? asked.input, null, 2)) }]
}

function entered(talk: Talk, asked: ApprovalRow | undefined): readonly [Talk, TalkEffect?] {
  const { text } = talk.editor
  if (text.endsWith("\\")) return [typed(talk, editorOf(`${text.slice(0, -1)}\n`))]
  if (text.trim() === "") return [talk]
  if (talk.editing !== undefined) return edited(talk, talk.editing)
  const history = [...talk.history, text].slice(-HISTORY_MAX)
  const cleared: Talk = { ...talk, editor: EMPTY_EDITOR, history, at: history.length }
  if (asked?.kind !== "question")
    return [
      { ...cleared, mode: "steer" },
      { kind: "send", text, mode: talk.mode },
    ]
  const { call } = asked
  return [
    { ...cleared, aside: [...talk.aside, call] },
    { kind: "answer", call, answer: answerOf(text) },
  ]
}

function edited(talk: Talk, call: string): readonly [Talk, TalkEffect?] {
  const input = parsed(talk.editor.text)
  if (input === undefined) return [talk, { kind: "say", text: "this is no JSON; Escape leaves the input as it was" }]
  const { editing: _, ...rest } = talk
  const aside = [...talk.aside, call]
  return [
    { ...rest, editor: EMPTY_EDITOR, aside },
    { kind: "decide", call, decision: "allow", input },
  ]
}

/** What looks like JSON and is, is JSON; else it is a text. */
function answerOf(text: string): Json {
  return /^\s*([[{"0-9-]|(true|false|null)\s*$)/.test(text) ? (parsed(text) ?? text) : text
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    // The caller says that it is none.
    return undefined
  }
}

function typed(talk: Talk, editor: Editor): Talk {
  return editor === talk.editor ? talk : { ...talk, editor }
}

function recalled(talk: Talk, by: -1 | 1): Talk {
  const at = Math.min(talk.history.length, Math.max(0, talk.at + by))
  return at === talk.at ? talk : { ...talk, at, editor: editorOf(talk.history[at] ?? "") }
}

function nextMode(mode: MessageMode): MessageMode {
  return MODES[(MODES.indexOf(mode) + 1) % MODES.length] ?? "steer"
}
