import type { Effect, Json } from "@rouse/protocol"

/** What the program under test does, in words that it, the driver and the judge share. */

/** The tools, one for each effect class, one of `once` that runs with no other call beside it, one that a person allows, and those of workers. */
export const TOOLS: Readonly<
  Record<
    string,
    { readonly effect: Effect; readonly alone?: boolean; readonly approval?: boolean; readonly worker?: boolean }
  >
> = {
  look: { effect: "pure" },
  put: { effect: "idempotent" },
  charge: { effect: "reconcilable" },
  mail: { effect: "once" },
  seal: { effect: "once", alone: true },
  wire: { effect: "reconcilable", approval: true },
  weigh: { effect: "pure", worker: true },
  store: { effect: "idempotent", worker: true },
  haul: { effect: "reconcilable", worker: true },
  blast: { effect: "once", worker: true },
}

export const AGENT = "agent"
export const SINK = "sink"
export const CHILD = "child"

/** What the handler owes for one message, by itself and whatever the model says. Names are refs: unique in the whole run. */
export interface Duties {
  /** Sent before the agent loop runs. */
  readonly before: string
  /** Sent after it. */
  readonly after: string
  /** Sent with a delay. */
  readonly later?: string
  /** A child, named by the platform. */
  readonly child?: string
}

/** Every third message also owes a delayed send, and every fifth a child. */
export function dutiesOf(message: string): Duties {
  const n = Number(message.slice(1))
  return {
    before: `${message}.before`,
    after: `${message}.after`,
    ...(n % 3 === 0 ? { later: `${message}.later` } : {}),
    ...(n % 5 === 0 ? { child: `${message}.child` } : {}),
  }
}

/** The shared space where there is one, and its counter. */
export const TALLY = "tally"
export const COUNTER = "total"

/** What the handler owes beside, where agents have something in common: a question, and the word that it was answered. */
export function jointDutiesOf(message: string): { readonly asked: string; readonly told: string } {
  return { asked: `${message}.asked`, told: `${message}.told` }
}

/** The driver's name of a message: the first line of its text. Undefined for messages of others. */
export function messageName(content: Json): string | undefined {
  if (typeof content !== "string") return undefined
  return /^(m\d+)(?:\n|$)/.exec(content)?.[1]
}

/** What the program puts into the messages that it sends. */
export interface Note {
  readonly ref: string
  /** What `ctx.step` returned in the wake that sent it. */
  readonly nonce?: string
}

/** The note in a message: of the handler's own, or sent by the model, which can only send text. */
export function noteOf(content: Json): Note | undefined {
  if (typeof content === "string") return { ref: content }
  if (typeof content !== "object" || content === null || Array.isArray(content)) return undefined
  const { ref, nonce } = content as { readonly ref?: Json; readonly nonce?: Json }
  if (typeof ref !== "string") return undefined
  return { ref, ...(typeof nonce === "string" ? { nonce } : {}) }
}

/** Where an agent's notes go: a sink of its own. */
export function sinkOf(agentId: string): string {
  return `/${SINK}/${agentId}`
}
