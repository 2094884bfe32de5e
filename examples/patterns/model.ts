/** The model of these examples: the offline one (docs/echo.md), unless `PATTERN_MODEL` names another. */
export const MODEL = process.env["PATTERN_MODEL"] ?? "rouse/echo"

/** What a model is told. The offline one has no thoughts of its own: it is told what to say. */
export function prompt(asked: string, offline: string): { readonly prompt: string } {
  return { prompt: MODEL === "rouse/echo" ? `/say ${offline}` : asked }
}
