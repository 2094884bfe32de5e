/** What an error says to a person: one sentence, never a stack. */
export function sentenceOf(error: unknown): string {
  if (error instanceof TypeError) return "The server cannot be reached."
  if (error instanceof Error && error.message !== "") return withStop(error.message)
  return "Something went wrong, and nothing more is known."
}

/** The code of a problem that the server told, if it is one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined
}

function withStop(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?…]$/.test(first) ? first : `${first}.`
}
