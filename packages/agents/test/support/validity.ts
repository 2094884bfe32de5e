import type { Turn } from "../../src/core/conversation.ts"

/** What a model provider would refuse about a conversation. Empty when it would accept it. */
export function problemsOf(turns: readonly Turn[]): readonly string[] {
  const problems: string[] = []
  const ids = new Set<string>()
  if (turns[0]?.role !== "user") problems.push("it does not begin with a user turn")
  if (turns.at(-1)?.role === "assistant") problems.push("it ends with an assistant turn")
  turns.forEach((turn, i) => {
    const next = turns[i + 1]
    if (next?.role === turn.role) problems.push(`turns ${i} and ${i + 1} are both ${turn.role}`)
    if (turn.role === "user") {
      if (turn.texts.length === 0) problems.push(`user turn ${i} is empty`)
      if (turn.texts.some((text) => text.trim() === "")) problems.push(`user turn ${i} has a blank text`)
    } else if (turn.role === "assistant") {
      const calls = turn.parts.filter((part) => part.kind === "call")
      if (!turn.parts.some((part) => part.kind !== "reasoning")) problems.push(`assistant turn ${i} says nothing`)
      if (turn.parts.some((part) => part.kind === "text" && part.text.trim() === ""))
        problems.push(`assistant turn ${i} has a blank text`)
      for (const { id } of calls) {
        if (ids.has(id)) problems.push(`call id ${id} is used twice`)
        if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) problems.push(`call id ${id} is not accepted everywhere`)
        ids.add(id)
      }
      const results = next?.role === "tool" ? next.results.map((result) => result.id) : []
      if (JSON.stringify(results) !== JSON.stringify(calls.map((call) => call.id)))
        problems.push(`calls of turn ${i} and results differ`)
    } else if (turns[i - 1]?.role !== "assistant") problems.push(`tool turn ${i} follows no assistant turn`)
  })
  return problems
}
