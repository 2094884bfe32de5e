/** What the model is given beside messages and answers: a summary of what is past, or a text from one of the author's sources. */
export type ContextRow = SummaryRow | SourceRow

/**
 * Stands for the runs up to `through`. Its key is `summary`: a later one replaces it. With its commit the rows of those runs are no
 * longer live (`isPast`); the log keeps them all.
 */
export interface SummaryRow {
  readonly kind: "summary"
  /** The last run that it covers. */
  readonly through: string
  /** When the first run that it does not cover began. */
  readonly before: string
  /** The newest step when it was made: what older ones used says nothing of the conversation as it is now. */
  readonly after: string
  readonly text: string
  /** `digest`: excerpts, made without a model. */
  readonly by: "model" | "digest"
  readonly why: "rows" | "tokens" | "overflow"
  readonly at: string
}

/** What a source said when a step began, written only when it is not what the model was last shown. */
export interface SourceRow {
  readonly kind: "source"
  readonly name: string
  readonly priority: number
  readonly run: string
  readonly step: string
  readonly text: string
  /** Estimated. */
  readonly tokens: number
}
