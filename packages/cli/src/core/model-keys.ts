/** The environment variables that make a model provider usable. Only their names are ever shown. */
export const MODEL_KEYS: readonly string[] = [
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "GOOGLE_GENERATIVE_AI_API_KEY",
  "GEMINI_API_KEY",
  "GOOGLE_API_KEY",
  "OPENAI_COMPATIBLE_BASE_URL",
]

/** Names of the model keys that are set. */
export function modelKeysSeen(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return MODEL_KEYS.filter((name) => (env[name] ?? "").trim() !== "")
}
