/** A result up to this length is in the prompt as it is, in UTF-16 code units: about 8,000 tokens. */
const INLINE_CHARS_MAX = 32_000
/** What the prompt shows of a longer one. */
const PREVIEW_CHARS = 4_000
/** What is kept of a result at all: the rest is cut. */
const ATTACHMENT_CHARS_MAX = 8_000_000

/** A result that is too long for the prompt. */
export interface CutOutput {
  /** What is kept of it, beside the log. */
  readonly text: string
  /** What the prompt shows, when the text is kept as the attachment of this name. */
  preview(id: string): string
  /** What the prompt shows where nothing is kept. */
  readonly bare: string
}

/** The name and media type of a large result. */
export function resultLabel(tool: string, output: unknown): readonly [name: string, mediaType: string] {
  return typeof output === "string"
    ? [`${tool}.txt`, "text/plain; charset=utf-8"]
    : [`${tool}.json`, "application/json"]
}

/** Cuts what is too long for the prompt; undefined for what is not. */
export function cutOutput(whole: string): CutOutput | undefined {
  if (whole.length <= INLINE_CHARS_MAX) return undefined
  const shown = whole.slice(0, PREVIEW_CHARS)
  const text = whole.slice(0, ATTACHMENT_CHARS_MAX)
  const lost = whole.length > text.length ? `, of which ${text.length} are kept` : ""
  return {
    text,
    preview: (id) =>
      `${shown}\n[cut: the output has ${whole.length} characters${lost}. It is attachment ${id}: ` +
      `read_attachment returns a part of it, from an offset such as ${PREVIEW_CHARS}]`,
    bare: `${shown}\n[cut: the output has ${whole.length} characters]`,
  }
}
