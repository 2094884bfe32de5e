import type { MessageRow } from "@rouse/agents"
import { z } from "zod"

/** The model of these examples: the offline one (docs/echo.md), unless `PATTERN_MODEL` names another. */
export const MODEL = process.env["PATTERN_MODEL"] ?? "rouse/echo"

/** What was said, where it must be text. @throws {ZodError} when it is not. */
export function textOf(messages: readonly MessageRow[]): string {
  return messages.map(({ content }) => z.string().parse(content)).join("\n")
}

/** What a model is told. The offline one has no thoughts of its own: it is told what to say. */
export function prompt(asked: string, offline: string): { readonly prompt: string } {
  return { prompt: MODEL === "rouse/echo" ? `/say ${offline}` : asked }
}
