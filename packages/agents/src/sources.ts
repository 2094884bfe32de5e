import { RouseError } from "@rouse/protocol"
import type { SourceRow, StepRow } from "@rouse/protocol"
import type { ContextSource } from "./context.ts"
import { orAborted } from "./abort.ts"
import { bySource, fitted } from "./core/source.ts"
import type { LiveRows } from "./core/rows.ts"
import type { Session } from "./session.ts"

/** Sources of one handler. */
const SOURCES_MAX = 32
const TOKENS_MAX = 100_000
const NAME = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * The author's sources of one wake: what the model is told beside the conversation.
 *
 * A source is read once a pass, before its first step, and is written, in that step, only when it says something else than the model was
 * last shown. What was shown stays where it is in the prompt, so that a change costs its own tokens and not the provider's cache.
 */
export class Sources {
  readonly #sources = new Map<string, ContextSource>()

  /** @throws {RouseError} `INVALID_ARGS` naming the option that is wrong. */
  use(source: ContextSource): void {
    const { name, tokens, load, priority = 0 } = (source ?? {}) as Partial<ContextSource>
    if (typeof name !== "string" || !NAME.test(name)) fail("name must be 1 to 64 letters, digits, _, . or -")
    if (tokens === undefined || !(Number.isInteger(tokens) && tokens >= 1 && tokens <= TOKENS_MAX))
      fail(`tokens must be a whole number from 1 to ${TOKENS_MAX}`)
    if (typeof load !== "function") fail("load must be a function that returns a text")
    if (!Number.isFinite(priority)) fail("priority must be a number")
    if (!this.#sources.has(name) && this.#sources.size >= SOURCES_MAX) fail(`at most ${SOURCES_MAX} sources`)
    this.#sources.set(name, source)
  }

  get size(): number {
    return this.#sources.size
  }

  /** Reads every source and puts what is new on the rows, for `step` to show. */
  async load(session: Session, step: Pick<StepRow, "id" | "run">): Promise<void> {
    const sources = [...this.#sources.values()].sort((a, b) => bySource(sortable(a), sortable(b)))
    const read = sources.map(async (source) => {
      const text: unknown = await source.load()
      if (typeof text !== "string") fail(`load of "${source.name}" must return a text`)
      return text
    })
    const texts = await orAborted(Promise.all(read), session.signal)
    sources.forEach(({ name, priority = 0, tokens: tokensMax }, i) => {
      const { text, tokens } = fitted(texts[i] as string, tokensMax)
      if (shown(session.rows, name, step.id)?.text === text) return
      const row: SourceRow = { kind: "source", name, priority, run: step.run, step: step.id, text, tokens }
      session.put("context", `${step.id}:${name}`, row)
    })
  }
}

/** What the model was last shown of a source, also by the step itself when it is begun again. */
function shown(rows: LiveRows, name: string, step: string): SourceRow | undefined {
  let last: SourceRow | undefined
  for (const row of rows.values("context")) {
    if (row.kind === "source" && row.name === name && row.step <= step) last = row
  }
  return last
}

function sortable({ name, priority = 0 }: ContextSource): Pick<SourceRow, "name" | "priority"> {
  return { name, priority }
}

function fail(rule: string): never {
  throw new RouseError("INVALID_ARGS", `useContext: ${rule}`)
}
