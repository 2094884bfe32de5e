import type { Turn } from "@rouse/agents/runtime"

/**
 * What model providers refuse in a conversation, gathered from several, by name of the rule. An empty answer: all of them take it.
 *
 * Written from the providers' side, on purpose apart from the code that makes the conversation.
 */
export function refusals(turns: readonly Turn[]): readonly string[] {
  const faults: string[] = []
  if (turns.length === 0) return ["there is no message"]
  if (turns[0]?.role !== "user") faults.push("the first message is not the user's")
  if (turns.at(-1)?.role === "assistant") faults.push("the last message is the assistant's")
  const ids = new Set<string>()
  for (const [at, turn] of turns.entries()) {
    faults.push(...order(turns[at - 1], turn).map((what) => `message ${at}: ${what}`))
    faults.push(...content(turn, turns[at + 1], ids).map((what) => `message ${at}: ${what}`))
  }
  return faults
}

function order(before: Turn | undefined, turn: Turn): readonly string[] {
  if (before?.role === turn.role) return [`${turn.role} follows ${turn.role}`]
  const asked = before?.role === "assistant" && before.parts.some((part) => part.kind === "call")
  if (turn.role === "tool" && !asked) return ["results without calls before them"]
  if (turn.role !== "tool" && asked) return ["calls without results after them"]
  return []
}

function content(turn: Turn, next: Turn | undefined, ids: Set<string>): readonly string[] {
  switch (turn.role) {
    case "user":
      return turn.texts.length === 0 || turn.texts.some(isBlank) ? ["an empty user message"] : []
    case "tool":
      return turn.results.length === 0
        ? ["an empty tool message"]
        : turn.results.flatMap(({ outcome }) =>
            outcome.kind === "error" && isBlank(outcome.text) ? ["an empty error"] : [],
          )
    case "assistant":
      return assistant(turn, next, ids)
  }
}

const CALL_ID = /^[A-Za-z0-9_-]{1,64}$/

function assistant(
  { parts }: Extract<Turn, { role: "assistant" }>,
  next: Turn | undefined,
  ids: Set<string>,
): readonly string[] {
  const faults: string[] = []
  if (parts.every(({ kind }) => kind === "reasoning")) faults.push("an assistant message with nothing said or called")
  const calls = parts.filter((part) => part.kind === "call")
  for (const part of parts) {
    if (part.kind === "text" && isBlank(part.text)) faults.push("a blank text")
    if (part.kind !== "call") continue
    if (!CALL_ID.test(part.id)) faults.push(`the call id ${JSON.stringify(part.id)}`)
    if (ids.has(part.id)) faults.push(`the call id ${part.id} a second time`)
    ids.add(part.id)
    if (typeof part.input !== "object" || part.input === null || Array.isArray(part.input))
      faults.push(`an input of ${part.id} that is no object`)
  }
  if (calls.length === 0) return faults
  const results = next?.role === "tool" ? next.results : []
  for (const { id, name } of calls) {
    const found = results.filter((result) => result.id === id)
    if (found.length !== 1) faults.push(`the call ${id} with ${found.length} results`)
    else if (found[0]?.name !== name) faults.push(`the call ${id} of ${name} with a result of ${found[0]?.name}`)
  }
  const known = new Set(calls.map(({ id }) => id))
  faults.push(...results.filter(({ id }) => !known.has(id)).map(({ id }) => `a result of ${id}, which was not called`))
  return faults
}

function isBlank(text: string): boolean {
  return text.trim() === ""
}
